// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lab/store.hpp"

namespace lab::testing {

/// A folder of its own for each test, gone afterwards.
class StoreTest : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "lab-store-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder = name;
        file = folder / "progress.db";
    }
    void TearDown() override { std::filesystem::remove_all(folder); }

    [[nodiscard]] std::vector<std::string> names_beginning_with(const std::string& start) const {
        std::vector<std::string> out;
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            const std::string name = entry.path().filename().string();
            if (name.starts_with(start)) out.push_back(name);
        }
        return out;
    }

    std::filesystem::path folder;
    std::filesystem::path file;
};

inline StoredPrediction prediction(std::string scenario, int step, int option, std::int64_t at) {
    return {std::move(scenario), step, option, "about twice as many", at};
}

}  // namespace lab::testing
