// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/platform.hpp"
#include "live/server.hpp"
#include "run/virtual_plan.hpp"

#include "lab/experiment.hpp"
#include "lab/settings.hpp"

#include <utility>

namespace lab {

class ServedScenario::Impl {
  public:
    explicit Impl(std::unique_ptr<live::Server> opened) : server{std::move(opened)} {}
    std::unique_ptr<live::Server> server;
};

ServedScenario::ServedScenario(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
ServedScenario::~ServedScenario() { stop(); }

Result<std::unique_ptr<ServedScenario>> ServedScenario::open(ServeOptions options) {
    if (auto valid = validate(options.model); !valid) return valid.error();
    if (auto fit = run::check_live(options.model); !fit) return fit.error();
    live::platform::raise_descriptor_limit();
    live::Server::Options server_options;
    server_options.system = std::move(options.model.system);
    server_options.load = std::move(options.model.load);
    server_options.seed = options.seed;
    server_options.port = options.port;
    server_options.most_connections = options.most_connections;
    server_options.title = std::move(options.scenario);
    auto server = live::Server::open(std::move(server_options));
    if (!server) return server.error();
    return std::unique_ptr<ServedScenario>(
        new ServedScenario(std::make_unique<Impl>(std::move(*server))));
}

std::uint16_t ServedScenario::port() const { return impl_->server->port(); }
void ServedScenario::stop() { impl_->server->stop(); }

}  // namespace lab
