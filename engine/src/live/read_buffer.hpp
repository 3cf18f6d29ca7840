// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace lab::live {

/// Bytes that have come and are not yet used, in one piece. Small while a connection idles, larger
/// only while a large head or body comes in.
class ReadBuffer {
  public:
    /// Most requests fit; a read that does not fill it saves the kernel a second look.
    static constexpr std::size_t small_size = 2'048;
    /// Holds a head, or the last chunk with its trailers, whole.
    static constexpr std::size_t large_size = 20'480;

    ReadBuffer() : data_{std::make_unique_for_overwrite<char[]>(small_size)} {}

    [[nodiscard]] std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
    [[nodiscard]] bool empty() const { return begin_ == end_; }
    [[nodiscard]] bool full() const { return end_ - begin_ == size_; }
    /// Moves nothing: a read into the free space may be under way.
    void consume(std::size_t bytes) { begin_ += bytes; }
    /// Where the next bytes may be written. Moves what is there to the front.
    [[nodiscard]] char* free_space() {
        if (begin_ > 0) {
            std::memmove(data_.get(), data_.get() + begin_, end_ - begin_);
            end_ -= begin_;
            begin_ = 0;
        }
        return data_.get() + end_;
    }
    /// After free_space().
    [[nodiscard]] std::size_t free_size() const { return size_ - end_; }
    void commit(std::size_t bytes) { end_ += bytes; }
    /// Not while a read is under way.
    void grow() { resize(large_size); }
    /// To the small size, where what is there allows it. Not while a read is under way.
    void shrink() {
        if (size_ > small_size && empty()) resize(small_size);
    }

  private:
    void resize(std::size_t size) {
        if (size == size_) return;
        auto data = std::make_unique_for_overwrite<char[]>(size);
        const auto used = end_ - begin_;
        std::memcpy(data.get(), data_.get() + begin_, used);
        data_ = std::move(data);
        begin_ = 0;
        end_ = used;
        size_ = size;
    }

    std::unique_ptr<char[]> data_;
    std::size_t size_ = small_size;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace lab::live
