// SPDX-License-Identifier: GPL-3.0-or-later
#include "lab/model.hpp"

#include <algorithm>

namespace lab {

const Route* find_route(const System& system, const std::string& id) {
    const auto at = std::find_if(system.routes.begin(), system.routes.end(),
                                 [&](const Route& route) { return route.id == id; });
    return at == system.routes.end() ? nullptr : &*at;
}

void StatedSettings::add(const std::string& path) {
    const auto at = std::lower_bound(paths.begin(), paths.end(), path);
    if (at == paths.end() || *at != path) paths.insert(at, path);
}

bool StatedSettings::contains(const std::string& path) const {
    return std::binary_search(paths.begin(), paths.end(), path);
}

}  // namespace lab
