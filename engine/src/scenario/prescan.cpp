// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "lab/text.hpp"
#include "model/utf8.hpp"
#include "scenario/tree.hpp"

namespace lab::scenario {
namespace {

/// Well above `most_depth`, so that one bracket left open in a long file is still told as what it
/// is by the parser, and well below what the parser's stack can hold.
constexpr int most_open_brackets = 200;

/// Follows strings, comments and brackets, and nothing else of TOML: what it lets through is small
/// and shallow enough for any parser.
class Scan {
  public:
    Scan(std::string_view text, const std::string& file) : text_{text}, file_{file} {}

    Result<void> run() {
        while (at_ < text_.size()) {
            if (const auto fit = step(); !fit) return fit;
        }
        return {};
    }

  private:
    enum class In : std::uint8_t { plain, comment, basic, literal, long_basic, long_literal };

    std::string_view text_;
    const std::string& file_;
    std::size_t at_ = 0, line_start_ = 0;
    std::uint32_t line_ = 1;
    In in_ = In::plain;
    int dots_ = 0, depth_ = 0;
    std::size_t values_ = 0;

    Error refuse(std::string detail) const {
        const auto column = static_cast<std::uint32_t>(at_ - line_start_ + 1);
        return {ErrorCode::invalid_input, where(file_, {line_, column}), std::move(detail)};
    }

    bool starts(std::string_view what) const { return text_.substr(at_).starts_with(what); }

    Result<void> step() {
        const auto c = utf8::first(text_.substr(at_));
        if (!c.valid) {
            return refuse(fmt::format("found the byte 0x{:02x}, which is not UTF-8; allowed: UTF-8",
                                      static_cast<unsigned char>(text_[at_])));
        }
        if (c.code == 0) return refuse("found a NUL byte; allowed: text");
        if (c.code == '\n') {
            new_line();
            return {};
        }
        if (at_ - line_start_ >= most_line_bytes) {
            return refuse(
                fmt::format("found a line of more than {0} bytes; allowed: {0} (longer "
                            "texts: \"\"\" on several lines)",
                            show_count(most_line_bytes)));
        }
        const std::size_t before = at_;
        if (in_ == In::plain) {
            if (const auto fit = plain(); !fit) return fit;
        } else {
            inside();
        }
        if (at_ == before) at_ += c.length;
        return {};
    }

    void new_line() {
        ++at_;
        line_start_ = at_;
        ++line_;
        dots_ = 0;
        if (in_ != In::long_basic && in_ != In::long_literal) in_ = In::plain;
    }

    /// Inside a string or comment. Moves on only where more than one character belongs together.
    void inside() {
        const char c = text_[at_];
        if (in_ == In::basic || in_ == In::long_basic) {
            if (c == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] >= ' ') {
                ++at_;
                at_ += utf8::first(text_.substr(at_)).length;
                return;
            }
        }
        if (in_ == In::basic && c == '"') in_ = In::plain;
        if (in_ == In::literal && c == '\'') in_ = In::plain;
        if (in_ == In::long_basic && starts(R"(""")")) leave_long('"');
        if (in_ == In::long_literal && starts("'''")) leave_long('\'');
    }

    /// Up to two quotes may stand before the three that end a long string.
    void leave_long(char quote) {
        at_ += 3;
        for (int i = 0; i < 2 && at_ < text_.size() && text_[at_] == quote; ++i) ++at_;
        in_ = In::plain;
    }

    Result<void> plain() {
        const char c = text_[at_];
        if (c == '#') in_ = In::comment;
        if (c == '"' || c == '\'') {
            const bool is_long = starts(c == '"' ? R"(""")" : "'''");
            in_ = c == '"' ? (is_long ? In::long_basic : In::basic)
                           : (is_long ? In::long_literal : In::literal);
            if (is_long) at_ += 3;
            return {};
        }
        if (c == '.' && ++dots_ > most_key_dots) {
            return refuse(
                fmt::format("found more than {0} dots in a key; allowed: {0}", most_key_dots));
        }
        if (c == '[' || c == '{') {
            ++depth_;
        } else if (c == ']' || c == '}') {
            depth_ = depth_ > 0 ? depth_ - 1 : 0;
        } else if (c != ',' && c != '=') {
            return {};
        }
        dots_ = 0;
        if (depth_ > most_open_brackets) {
            return refuse(
                fmt::format("found brackets nested more than {0} deep; allowed: {0}", most_depth));
        }
        if (c != ']' && c != '}' && ++values_ > 2 * most_nodes) {
            return refuse(
                fmt::format("found more than {0} values; allowed: {0}", show_count(most_nodes)));
        }
        return {};
    }
};

}  // namespace

Result<void> prescan(std::string_view& text, const std::string& file) {
    if (text.size() > most_file_bytes) {
        return Error{ErrorCode::invalid_input, escaped(file),
                     fmt::format("found {} bytes; allowed: {} (1 MiB)",
                                 show_count(static_cast<std::int64_t>(text.size())),
                                 show_count(most_file_bytes))};
    }
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    return Scan(text, file).run();
}

}  // namespace lab::scenario
