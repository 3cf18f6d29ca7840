// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace lab::tidy {

/// One function as it stands in a file.
struct FunctionExtent {
    std::size_t line = 0;   ///< of its opening brace, from 1
    std::size_t lines = 0;  ///< from the opening brace to the closing one
};

/// A source file as the tidy test looks at it.
struct SourceFile {
    std::string path;                ///< from the root of the project, with '/'
    std::vector<std::string> lines;  ///< as written
    std::vector<std::string> code;  ///< without comments and the contents of strings; as many lines

    /// What stands between the quotes or brackets of each #include.
    [[nodiscard]] std::vector<std::string> includes() const;
    [[nodiscard]] std::vector<FunctionExtent> functions() const;
};

/// Every C++ file below engine, app and tests.
std::vector<SourceFile> read_sources(const std::filesystem::path& root);
/// `text` without comments and the contents of string and character literals.
std::string strip(const std::string& text);
std::vector<std::string> split_lines(const std::string& text);

}  // namespace lab::tidy
