// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "lab/result.hpp"
#include "live/workers.hpp"

namespace lab::live {

/// Chooses the pool of workers by server.execution, which may change while running: the pool of the
/// other kind is made, new requests go there, and the one before serves what it has. Each request
/// goes to the pool that its program was compiled for.
///
/// Threads: as Workers says.
class ExecutionSwitch final : public Workers {
  public:
    /// Errors: no_resources.
    [[nodiscard]] static Result<std::unique_ptr<Workers>> start(Options options);

    [[nodiscard]] GenerationPtr generation() const override;
    void opened(Exchange& exchange) override;
    void closed(Exchange& exchange) override;
    void bind(Exchange& exchange) override;
    void submit(Exchange& exchange) override;
    void finish(Exchange& exchange, bool keep_worker) override;
    bool withdraw(Exchange& exchange) override;
    [[nodiscard]] bool accepting() const override;
    void set_on_accepting(std::function<void()> on_change) override;

    void apply(GenerationPtr generation) override;
    void set_database(std::shared_ptr<Database> database) override;
    void cancel() override;
    void stop() override;
    void sample(ServerSample& out) override;
    [[nodiscard]] std::vector<RequestEvent> take_events(std::size_t most,
                                                        std::uint64_t& left_out) override;
    [[nodiscard]] std::vector<CacheContent> cache_contents(std::size_t most) const override;
    [[nodiscard]] std::string cache_page() const override;
    [[nodiscard]] std::string remark() const override;

  private:
    enum class Kind : std::uint8_t { threads, loops };
    explicit ExecutionSwitch(Options options) : options_{std::move(options)} {}
    [[nodiscard]] static Kind kind_of(const Generation& generation);
    [[nodiscard]] Result<void> make(const GenerationPtr& generation);
    [[nodiscard]] Workers& pool_for(const Exchange& exchange) const;
    [[nodiscard]] Workers& current() const;
    /// Those that have been made.
    [[nodiscard]] std::vector<Workers*> all() const;

    mutable std::mutex mutex_;  ///< round everything below; never held while a pool is called
    Options options_;           ///< newest generation and database
    std::unique_ptr<Workers> threads_, loops_;  ///< null until needed; then there for good
    Workers* current_ = nullptr;
    std::function<void()> on_accepting_;
    std::string remark_;
    bool cancelled_ = false;
};

}  // namespace lab::live
