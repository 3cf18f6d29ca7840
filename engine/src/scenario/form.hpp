// SPDX-License-Identifier: GPL-3.0-or-later
// Reading one table of a scenario file against the keys that it may hold. The first error is kept;
// what is asked after it changes nothing.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lab/scenario.hpp"
#include "scenario/schema.hpp"
#include "scenario/tree.hpp"

namespace lab::scenario {

/// One file being read.
struct Reading {
    std::string file;
    /// Where the file stands, for what it names beside itself; none for a text from memory.
    std::optional<std::filesystem::path> folder;
    std::optional<Error> error;
    /// Where each setting, route and section was written: "server.workers", "route.pay", "load".
    std::map<std::string, Place, std::less<>> places;

    [[nodiscard]] bool ok() const { return !error; }
    /// Keeps the error unless there is one already.
    void fail(Place place, std::string_view key, std::string detail);
    /// The place of a path or of the nearest thing round it.
    [[nodiscard]] Place place_of(std::string_view path) const;
};

/// Lines a text may have, and what of it is dropped.
enum class Lines : std::uint8_t { one, many };

inline constexpr std::size_t most_title_characters = 200;

/// Text fit to be shown: bidirectional controls dropped, at most 8 combining marks in a row kept, a
/// carriage return before a line feed dropped. Empty where it holds other control characters, or a
/// line feed in a text of one line. Threads: any.
[[nodiscard]] std::optional<std::string> clean_text(std::string_view text, Lines lines);

class Form {
  public:
    /// Refuses keys that are not in `known`. `path` is put before each key in messages.
    Form(Reading& reading, const Node& table, std::string path, std::span<const KeyInfo> known);

    [[nodiscard]] const Member* find(std::string_view key) const { return table_.find(key); }
    [[nodiscard]] std::string path(std::string_view key) const;
    [[nodiscard]] Place place() const { return table_.place; }
    /// The place of the key's value, or of the table where it is missing.
    [[nodiscard]] Place place(std::string_view key) const;

    /// Each leaves `out` alone where the key is missing, and reports a missing key that is
    /// required.
    void title(std::string_view key, std::string& out);  ///< one line, 200 characters
    void text(std::string_view key, std::string& out);   ///< many lines
    void id(std::string_view key, std::string& out);
    void whole(std::string_view key, std::int64_t least, std::int64_t most, std::int64_t& out);
    void number(std::string_view key, double& out);
    void duration(std::string_view key, Duration least, Duration most, Duration& out);
    void titles(std::string_view key, std::size_t most, std::vector<std::string>& out);
    /// The list of a key, or none. `most` items.
    const Node* list(std::string_view key, std::size_t most);
    const Node* table(std::string_view key);

    /// "found ...; allowed: ..." at the value of the key.
    void refuse(std::string_view key, std::string_view found, std::string_view allowed);
    Reading& reading() { return reading_; }

  private:
    Reading& reading_;
    const Node& table_;
    std::string path_;
    std::span<const KeyInfo> known_;

    const Node* value(std::string_view key, Node::Kind kind, std::string_view allowed);
    void check_keys();
};

/// The value of a setting as a node of the file. Reports what does not fit.
[[nodiscard]] std::optional<SettingValue> setting_from_node(Reading& reading, std::string_view path,
                                                            const SettingInfo& info,
                                                            const Node& node, Place place);

/// "path = value" pairs of a table: "load.rate" = "120/s", or load.rate = "120/s".
[[nodiscard]] Overrides read_overrides(Reading& reading, const Model& model, const Node& table,
                                       const std::string& path);

/// Each reads one part of a file into the scenario.
void read_model(Reading& reading, const Node& root, Model& model);
void read_knobs(Reading& reading, const Node& root, Scenario& scenario);
void read_lesson(Reading& reading, const Node& root, Scenario& scenario);
void read_claims(Reading& reading, const Node& root, Scenario& scenario);
void read_prices(Reading& reading, const Node& root, Scenario& scenario);

/// The tables of [[key]], or none. Reports what is no list of tables, and more than `most`.
[[nodiscard]] std::vector<const Node*> tables_of(Reading& reading, const Node& root,
                                                 std::string_view key, std::size_t most);

}  // namespace lab::scenario
