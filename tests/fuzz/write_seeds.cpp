// SPDX-License-Identifier: GPL-3.0-or-later
// write_seeds FOLDER: the corpus as files, one folder for each fuzz target.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "fuzz/corpus.hpp"

namespace {

bool write(const std::filesystem::path& folder, const std::vector<std::string>& seeds) {
    std::filesystem::create_directories(folder);
    std::size_t number = 0;
    for (const auto& seed : seeds) {
        std::ofstream out{folder / std::to_string(number++), std::ios::binary};
        out << seed;
        if (!out.flush()) return false;
    }
    return true;
}

}  // namespace

int main(int count, char** words) {
    if (count != 2) return 2;
    const std::filesystem::path folder{words[1]};
    const bool written = write(folder / "requests", lab::fuzz::request_seeds()) &&
                         write(folder / "answers", lab::fuzz::answer_seeds()) &&
                         write(folder / "scenario", lab::fuzz::scenario_seeds());
    return written ? 0 : 1;
}
