// SPDX-License-Identifier: GPL-3.0-or-later
// Prints one value of a JSON document on standard input: `json_value latency_ms.p99`. For the
// benchmarks.
#include <iostream>
#include <iterator>
#include <string>

#include <boost/json/src.hpp>

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const std::string text{std::istreambuf_iterator<char>{std::cin}, {}};
    boost::json::error_code error;
    const auto document = boost::json::parse(text, error);
    if (error) return 1;
    const boost::json::value* at = &document;
    const std::string path = argv[1];
    for (std::size_t from = 0; from <= path.size();) {
        const auto dot = std::min(path.find('.', from), path.size());
        const auto* object = at->if_object();
        at = object == nullptr ? nullptr : object->if_contains(path.substr(from, dot - from));
        if (at == nullptr) return 1;
        from = dot + 1;
    }
    std::cout << *at << '\n';
    return 0;
}
