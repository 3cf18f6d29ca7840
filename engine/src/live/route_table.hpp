// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/model.hpp"
#include "live/answer_writer.hpp"
#include "live/http_text.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lab::live {

/// RFC 9110 9.1. Case matters. `other`: known to HTTP and answered by no route (PUT, DELETE,
/// PATCH).
enum class Verb : std::uint8_t { get, head, post, options, connect, trace, other, unknown };
[[nodiscard]] Verb read_verb(std::string_view method);

/// What is to be done for a request.
struct RouteMatch {
    enum class Kind : std::uint8_t {
        handler,     ///< a worker's: `route`, `key`, `user`
        prepared,    ///< answered here: `prepared`
        cache_page,  ///< what the caches hold, at GET /lab/cache
        refusal,     ///< `status`, and for 405 and an OPTIONS' 204 `allow`
    };
    Kind kind = Kind::refusal;
    std::uint16_t status = 404;
    std::uint32_t route = 0;
    std::uint64_t key = 0;
    std::uint32_t user = 0;
    bool has_user = false;     ///< the query string names a user; it wins over the cookie
    std::size_t prepared = 0;  ///< which answer
    std::string_view allow;    ///< static
};

/// Which route a request is for, and what is answered without a worker. Made anew for each
/// generation.
///
/// Templates: `{key}` (digits) once in the path or in the query, `{user}` once in the query. A
/// request may have more parameters than the template. The first route that fits wins. Threads: the
/// front end's alone.
class RouteTable {
  public:
    RouteTable(const System& system, std::string_view title);

    [[nodiscard]] RouteMatch match(Verb verb, const Target& target);
    [[nodiscard]] PreparedAnswer& prepared(const RouteMatch& match) {
        return prepared_[match.prepared];
    }
    /// Content-Type of a route's answers.
    [[nodiscard]] std::string_view content_type(std::uint32_t route) const;

  private:
    struct Parameter {
        enum class Kind : std::uint8_t { literal, key, user };
        std::string name;
        std::string value;  ///< literal
        Kind kind = Kind::literal;
    };
    struct Entry {
        bool post = false;
        bool inline_answer = false;
        bool cache_page = false;
        bool html = false;
        bool key_in_path = false;
        std::string prefix;  ///< of the path, decoded; all of it where there is no key
        std::string suffix;
        std::vector<Parameter> parameters;
        std::size_t prepared = 0;  ///< inline: index of its answer
    };
    enum class Fit : std::uint8_t { no, yes, bad_query };

    void add(const Route& route);
    void add_page(const System& system, std::string_view title);
    void add_cache_page(const System& system);
    [[nodiscard]] static bool fits_path(const Entry& entry, std::string_view path,
                                        RouteMatch& match);
    [[nodiscard]] static Fit fits_query(const Entry& entry, std::string_view query,
                                        RouteMatch& match);
    [[nodiscard]] RouteMatch look_up(Verb verb, std::string_view path, std::string_view query);

    std::vector<Entry> entries_;  ///< by index of the System's routes; our pages at the end
    std::vector<PreparedAnswer> prepared_;
};

/// The page at GET /: which routes there are. At most 500 octets of plain text.
[[nodiscard]] std::string index_page(const System& system, std::string_view title);

}  // namespace lab::live
