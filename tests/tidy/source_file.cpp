// SPDX-License-Identifier: GPL-3.0-or-later
#include "tidy/source_file.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace lab::tidy {

namespace {

/// Walks over a text and blanks what is no code.
class Stripper {
  public:
    explicit Stripper(const std::string& text) : in_{text}, out_{text} {}

    std::string run() {
        while (at_ < in_.size()) {
            if (starts("//")) {
                blank_until("\n", false);
            } else if (starts("/*")) {
                blank_until("*/", true);
            } else if (starts("R\"")) {
                raw_string();
            } else if (in_[at_] == '"' && !in_include()) {
                quoted('"');
            } else if (in_[at_] == '\'' && !digit_separator()) {
                quoted('\'');
            } else {
                ++at_;
            }
        }
        return out_;
    }

  private:
    bool starts(const char* word) const {
        return in_.compare(at_, std::string{word}.size(), word) == 0;
    }
    bool digit_separator() const {
        return at_ > 0 && std::isalnum(static_cast<unsigned char>(in_[at_ - 1])) != 0;
    }
    bool in_include() const {
        const auto line = in_.rfind('\n', at_);
        const auto first = line == std::string::npos ? 0 : line + 1;
        return in_.compare(first, 8, "#include") == 0;
    }
    void blank(std::size_t from, std::size_t to) {
        for (auto i = from; i < to && i < out_.size(); ++i) {
            if (out_[i] != '\n') out_[i] = ' ';
        }
    }
    void blank_until(const std::string& end, bool with_end) {
        auto found = in_.find(end, at_ + 2);
        if (found == std::string::npos) found = in_.size();
        const auto stop = with_end ? std::min(found + end.size(), in_.size()) : found;
        blank(at_, stop);
        at_ = stop;
    }
    void quoted(char quote) {
        const auto from = at_++;
        while (at_ < in_.size() && in_[at_] != quote && in_[at_] != '\n')
            at_ += in_[at_] == '\\' ? 2 : 1;
        blank(from + 1, std::min(at_, in_.size()));
        ++at_;
    }
    void raw_string() {
        const auto open = in_.find('(', at_);
        const auto end = ")" + in_.substr(at_ + 2, open - at_ - 2) + "\"";
        const auto close = in_.find(end, open);
        const auto stop = close == std::string::npos ? in_.size() : close + end.size();
        blank(at_ + 1, stop);
        at_ = stop;
    }

    const std::string& in_;
    std::string out_;
    std::size_t at_ = 0;
};

/// Whether the text before an opening brace begins a scope that may hold functions.
bool opens_scope(const std::string& before) {
    std::istringstream words{before};
    std::string word;
    bool scope = false;
    while (words >> word) {
        if (word == "namespace" || word == "class" || word == "struct" || word == "union" ||
            word == "extern") {
            scope = true;
        }
        if (word == "enum" || word == "return" || word == "=") return false;
    }
    return scope && before.find('(') == std::string::npos;
}

}  // namespace

std::string strip(const std::string& text) { return Stripper{text}.run(); }

std::vector<std::string> split_lines(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream{text};
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

std::vector<std::string> SourceFile::includes() const {
    std::vector<std::string> found;
    for (const auto& line : lines) {
        if (line.rfind("#include", 0) != 0) continue;
        const auto open = line.find_first_of("\"<");
        const auto close = line.find_first_of("\">", open + 1);
        if (open != std::string::npos && close != std::string::npos) {
            found.push_back(line.substr(open + 1, close - open - 1));
        }
    }
    return found;
}

std::vector<FunctionExtent> SourceFile::functions() const {
    std::vector<FunctionExtent> found;
    std::vector<bool> scopes;  // true: may hold functions
    std::string before;
    std::size_t inside_function = 0;  // depth of braces in it
    FunctionExtent current;
    for (std::size_t number = 0; number < code.size(); ++number) {
        if (!code[number].empty() && code[number][0] == '#') continue;
        for (const char byte : code[number] + "\n") {
            if (byte == '{') {
                if (inside_function > 0) {
                    ++inside_function;
                } else if (opens_scope(before)) {
                    scopes.push_back(true);
                } else if (before.find('(') != std::string::npos) {
                    inside_function = 1;
                    current.line = number + 1;
                } else {
                    scopes.push_back(false);
                }
                before.clear();
            } else if (byte == '}') {
                if (inside_function > 0) {
                    if (--inside_function == 0) {
                        current.lines = number + 2 - current.line;
                        found.push_back(current);
                    }
                } else if (!scopes.empty()) {
                    scopes.pop_back();
                }
                before.clear();
            } else if (byte == ';') {
                before.clear();
            } else {
                before.push_back(byte);
            }
        }
    }
    return found;
}

std::vector<SourceFile> read_sources(const std::filesystem::path& root) {
    std::vector<SourceFile> files;
    for (const char* folder : {"engine", "app", "tests"}) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
            const auto ending = entry.path().extension();
            if (ending != ".cpp" && ending != ".hpp") continue;
            std::ifstream stream{entry.path()};
            const std::string text{std::istreambuf_iterator<char>{stream}, {}};
            SourceFile file;
            file.path = std::filesystem::relative(entry.path(), root).generic_string();
            file.lines = split_lines(text);
            file.code = split_lines(strip(text));
            files.push_back(std::move(file));
        }
    }
    std::sort(files.begin(), files.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
    return files;
}

}  // namespace lab::tidy
