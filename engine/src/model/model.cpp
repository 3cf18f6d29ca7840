// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/model.hpp"

#include <algorithm>

namespace lab {

const Route* find_route(const System& system, const std::string& id) {
    const auto at = std::find_if(system.routes.begin(), system.routes.end(),
                                 [&](const Route& route) { return route.id == id; });
    return at == system.routes.end() ? nullptr : &*at;
}

}  // namespace lab
