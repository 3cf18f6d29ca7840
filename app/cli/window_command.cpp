// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace lab::cli {

namespace {

bool display_is_there() {
    for (const char* name : {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}) {
        const char* value = std::getenv(name);
        if (value != nullptr && *value != '\0') return true;
    }
    return false;
}

}  // namespace

int window_command(Terminal& terminal, const std::vector<std::string>& arguments) {
    if (!display_is_there()) {
        terminal.error(
            "no display, so no window. In a terminal:\n"
            "  latency-lab play workers   the first lesson, here\n"
            "  latency-lab run workers    one run of it, measured\n"
            "  latency-lab list           every scenario\n"
            "  latency-lab --help         everything else");
        return exit_failed;
    }
    std::error_code ignored;
    const auto here = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
    const auto window = here / "latency-lab-window";
    if (!std::filesystem::exists(window, ignored)) {
        terminal.error("the window was not built here: " + window.string() +
                       " is missing; latency-lab --help lists what works in a terminal");
        return exit_failed;
    }
    std::vector<std::string> words{window.string()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (auto& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    ::execv(pointers[0], pointers.data());
    terminal.error("the window could not be started: " + std::string{std::strerror(errno)});
    return exit_failed;
}

}  // namespace lab::cli
