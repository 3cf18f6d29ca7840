// SPDX-License-Identifier: GPL-3.0-or-later
// Which scenarios there are.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <set>
#include <system_error>
#include <tuple>

#include <fmt/format.h>

#include "lab/scenario.hpp"
#include "lab/text.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

constexpr int deepest_folder = 3;
constexpr std::size_t most_files = 1'000;

/// Courses in the order in which they are taken; others follow by name.
constexpr std::array<std::string_view, 7> course_order{
    "foundations", "caching", "finding", "async", "measuring", "resilience", "scaling"};

std::size_t rank(std::string_view course) {
    const auto at = std::ranges::find(course_order, course);
    return static_cast<std::size_t>(at - course_order.begin());
}

bool is_scenario_file(const fs::directory_entry& entry) {
    std::error_code ignored;
    return entry.path().extension() == ".toml" && !entry.is_directory(ignored);
}

/// Every *.toml below a folder, in the order of their names. A folder that cannot be read has none.
std::vector<fs::path> files_below(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code problem;
    fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied,
                                        problem);
    const fs::recursive_directory_iterator end;
    while (!problem && at != end && files.size() < most_files) {
        if (at.depth() >= deepest_folder) at.disable_recursion_pending();
        if (is_scenario_file(*at)) files.push_back(at->path());
        at.increment(problem);
    }
    std::sort(files.begin(), files.end());
    return files;
}

bool comes_before(const CatalogueEntry& a, const CatalogueEntry& b) {
    if (a.scenario.has_value() != b.scenario.has_value()) return a.scenario.has_value();
    if (!a.scenario) return a.file < b.file;
    const Scenario &x = *a.scenario, &y = *b.scenario;
    return std::tuple(rank(x.course), std::string_view(x.course), x.order,
                      std::string_view(x.title)) < std::tuple(rank(y.course),
                                                              std::string_view(y.course), y.order,
                                                              std::string_view(y.title));
}

/// A file that is not there does not say so when the folder that it is in is not there either.
Error no_such_scenario(const std::string& id, std::span<const fs::path> folders,
                       const std::vector<CatalogueEntry>& entries) {
    std::vector<std::string_view> ids;
    for (const CatalogueEntry& entry : entries) {
        if (entry.scenario) ids.push_back(entry.scenario->id);
    }
    std::string detail = fmt::format("there is no scenario {}", in_quotes(id));
    const auto nearest = did_you_mean(id, ids);
    if (!nearest.empty()) {
        detail += fmt::format("; did you mean {}?", nearest);
    } else if (!ids.empty()) {
        detail += fmt::format("; there are {} (or give the path of a file)", fmt::join(ids, ", "));
    } else {
        std::vector<std::string> places;
        for (const fs::path& folder : folders) places.push_back(escaped(folder.string()));
        detail += places.empty() ? "; no folder of scenarios was found"
                                 : fmt::format("; none in {}", fmt::join(places, ", "));
    }
    return {ErrorCode::not_found, "", std::move(detail)};
}

}  // namespace

std::vector<fs::path> scenario_folders() {
    std::vector<fs::path> folders;
    if (const char* const given = std::getenv("LATENCY_LAB_SCENARIOS"); given && *given) {
        std::string_view rest = given;
        while (!rest.empty()) {
            const std::string_view one = rest.substr(0, rest.find(':'));
            if (!one.empty()) folders.emplace_back(one);
            rest.remove_prefix(std::min(rest.size(), one.size() + 1));
        }
        return folders;
    }
    std::error_code problem;
    const fs::path program = fs::read_symlink("/proc/self/exe", problem);
    std::vector<fs::path> places;
    if (!problem) {
        const fs::path folder = program.parent_path();
        places.push_back(folder.parent_path() / "share" / "latency-lab" / "scenarios");
    }
#ifdef LAB_SCENARIO_SOURCE_FOLDER
    places.emplace_back(LAB_SCENARIO_SOURCE_FOLDER);
#endif
    for (const fs::path& place : places) {
        if (fs::is_directory(place, problem)) return {place};
    }
    return folders;
}

std::vector<CatalogueEntry> list_scenarios(std::span<const fs::path> folders) {
    std::vector<CatalogueEntry> entries;
    std::map<std::string, fs::path> first_with;
    std::set<fs::path> seen;
    for (const fs::path& folder : folders) {
        for (const fs::path& file : files_below(folder)) {
            if (!seen.insert(file.lexically_normal()).second) continue;
            CatalogueEntry entry;
            entry.file = file;
            auto scenario = load_scenario(file);
            if (!scenario) {
                entry.problem = scenario.error();
            } else if (const auto [first, fresh] = first_with.emplace(scenario->id, file); !fresh) {
                entry.problem =
                    Error{ErrorCode::invalid_input, escaped(file.string()) + ": id",
                          fmt::format("found {}, which {} has already; allowed: an id of its own",
                                      in_quotes(scenario->id), escaped(first->second.string()))};
            } else {
                entry.scenario = std::move(*scenario);
            }
            entries.push_back(std::move(entry));
        }
    }
    std::stable_sort(entries.begin(), entries.end(), comes_before);
    return entries;
}

Result<Scenario> open_scenario(const std::string& id_or_path, std::span<const fs::path> folders) {
    const bool is_path = id_or_path.find('/') != std::string::npos || id_or_path.ends_with(".toml");
    if (is_path) return load_scenario(id_or_path);
    auto entries = list_scenarios(folders);
    for (CatalogueEntry& entry : entries) {
        if (entry.scenario && entry.scenario->id == id_or_path) return std::move(*entry.scenario);
    }
    for (const CatalogueEntry& entry : entries) {
        if (entry.problem && entry.file.stem() == id_or_path) return *entry.problem;
    }
    return no_such_scenario(id_or_path, folders, entries);
}

}  // namespace lab
