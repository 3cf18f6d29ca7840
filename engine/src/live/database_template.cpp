// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/database_template.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "core/keyed_random.hpp"
#include "core/keyspace.hpp"
#include "live/private_folder.hpp"
#include "live/sqlite_handle.hpp"

namespace lab::live {

namespace fs = std::filesystem;

namespace {

/// Part of the file's name and of its header: another layout is another file.
constexpr int schema_version = 3;
/// "LabD", so that a stranger's file of the same name is not taken for ours.
constexpr int application_id = 0x4c616244;
constexpr std::uint64_t data_seed = 20'240'117;
constexpr int rows_a_look = 2'000;  ///< between two looks at `cancelled`

enum Column : std::uint32_t { adjective, noun, cents, use, care, origin, reviews, opinion };

std::string file_name(int products) {
    return fmt::format("products-v{}-{}.sqlite", schema_version, products);
}

std::string with_commas(int number) {
    std::string text = std::to_string(number);
    for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
        text.insert(static_cast<std::size_t>(at), 1, ',');
    }
    return text;
}

Error gave_up() { return {ErrorCode::interrupted, "database", "stopped while it was being made"}; }

/// Are the pages of the file in order? About 15 ms for 200,000 products.
bool is_sound(sqlite3* database) {
    const auto check = prepare(database, "PRAGMA quick_check(1)");
    if (!check || sqlite3_step(check->get()) != SQLITE_ROW) return false;
    const auto* const said = reinterpret_cast<const char*>(sqlite3_column_text(check->get(), 0));
    return said != nullptr && std::string_view{said} == "ok";
}

/// A file is trusted when it says that it is ours, holds every row, and every page can be walked.
bool is_whole(const fs::path& file, int products) {
    std::error_code error;
    if (!fs::is_regular_file(file, error)) return false;
    const auto database = open_sqlite(file, SQLITE_OPEN_READONLY);
    if (!database) return false;
    const auto says = [&](std::string_view sql, std::int64_t wanted) {
        const auto found = read_number(database->get(), sql);
        return found && *found == wanted;
    };
    return says("PRAGMA application_id", application_id) &&
           says("PRAGMA user_version", schema_version) &&
           says("SELECT count(*) FROM product", products) &&
           says("SELECT max(id) FROM product", products) &&
           says("SELECT max(product) FROM review", products) && is_sound(database->get());
}

Result<void> bind_and_step(sqlite3* database, sqlite3_stmt* insert, std::int64_t product,
                           const core::Keyspace& keys) {
    const std::string sku = sku_of(product);
    const std::string name = name_of(product);
    const std::string description = description_of(product);
    sqlite3_bind_int64(insert, 1, product);
    sqlite3_bind_text(insert, 2, sku.data(), static_cast<int>(sku.size()), SQLITE_STATIC);
    sqlite3_bind_int(insert, 3, keys.category_of_product(product));
    sqlite3_bind_text(insert, 4, name.data(), static_cast<int>(name.size()), SQLITE_STATIC);
    sqlite3_bind_int64(insert, 5, price_of(product));
    sqlite3_bind_text(insert, 6, description.data(), static_cast<int>(description.size()),
                      SQLITE_STATIC);
    const int code = sqlite3_step(insert);
    sqlite3_reset(insert);
    if (code != SQLITE_DONE) return sqlite_error(database, "writing products");
    return {};
}

Result<void> insert_reviews(sqlite3* database, sqlite3_stmt* insert, std::int64_t product) {
    for (const Review& review : reviews_of(product)) {
        sqlite3_bind_int64(insert, 1, product);
        sqlite3_bind_int(insert, 2, review.number);
        sqlite3_bind_int(insert, 3, review.stars);
        sqlite3_bind_text(insert, 4, review.text.data(), static_cast<int>(review.text.size()),
                          SQLITE_STATIC);
        const int code = sqlite3_step(insert);
        sqlite3_reset(insert);
        if (code != SQLITE_DONE) return sqlite_error(database, "writing reviews");
    }
    return {};
}

Result<void> insert_products(sqlite3* database, int products, const Preparation& preparation) {
    auto insert =
        prepare(database,
                "INSERT INTO product(id, sku, category, name, price, version, description) "
                "VALUES(?1, ?2, ?3, ?4, ?5, 0, ?6)");
    if (!insert) return insert.error();
    auto review = prepare(database,
                          "INSERT INTO review(product, number, stars, text) "
                          "VALUES(?1, ?2, ?3, ?4)");
    if (!review) return review.error();
    const core::Keyspace keys{products};
    int shown = -1;
    for (int product = 1; product <= products; ++product) {
        if (product % rows_a_look == 1) {
            if (preparation.given_up()) return gave_up();
            const int tenths = static_cast<int>(10LL * product / products);
            if (tenths != shown) {
                preparation.say(
                    fmt::format("making {} products: {} %", with_commas(products), tenths * 10));
            }
            shown = tenths;
        }
        if (auto done = bind_and_step(database, insert->get(), product, keys); !done) return done;
        if (auto done = insert_reviews(database, review->get(), product); !done) return done;
    }
    return {};
}

Result<void> write_template(const fs::path& file, int products, const Preparation& preparation) {
    auto database = open_sqlite(file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (!database) return database.error();
    // Nothing to roll back to: a file that was not finished is thrown away.
    const std::string begin = fmt::format(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA page_size = 4096;"
        "PRAGMA application_id = {}; BEGIN;"
        "CREATE TABLE product(id INTEGER PRIMARY KEY, sku TEXT NOT NULL, category INTEGER NOT NULL,"
        " name TEXT NOT NULL, price INTEGER NOT NULL, version INTEGER NOT NULL,"
        " description TEXT NOT NULL);"
        // In the order of the products: the reviews of one are found by the primary key.
        "CREATE TABLE review(product INTEGER NOT NULL, number INTEGER NOT NULL,"
        " stars INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY(product, number))"
        " WITHOUT ROWID",
        application_id);
    if (auto done = execute(database->get(), begin.c_str()); !done) return done;
    if (auto done = insert_products(database->get(), products, preparation); !done) return done;
    const std::string end = fmt::format("COMMIT; PRAGMA user_version = {}", schema_version);
    return execute(database->get(), end.c_str());
}

/// Unfinished files of makers that were killed, and files of another layout.
void remove_useless(const fs::path& folder) {
    constexpr std::string_view ending = ".new";
    const std::string current = fmt::format("products-v{}-", schema_version);
    std::error_code ignored;
    fs::directory_iterator entry{folder, ignored};
    for (; !ignored && entry != fs::directory_iterator{}; entry.increment(ignored)) {
        const std::string name = entry->path().filename().string();
        if (name.rfind("products-v", 0) != 0) continue;
        std::error_code error;
        const bool unfinished =
            name.size() > ending.size() &&
            name.compare(name.size() - ending.size(), ending.size(), ending) == 0;
        if (!unfinished) {
            if (name.rfind(current, 0) != 0) fs::remove(entry->path(), error);
            continue;
        }
        const auto dot = name.find('.', name.find(".sqlite.") + 1) + 1;
        long pid = 0;
        std::from_chars(name.data() + dot, name.data() + name.size(), pid);
        if (pid > 0 && !process_lives(pid)) fs::remove(entry->path(), error);
    }
}

/// A new empty file for a template that is being made; no other maker has the same.
Result<fs::path> begin_unfinished(const fs::path& folder, int products) {
    constexpr int ending_length = 4;
    std::string name =
        (folder / fmt::format("{}.{}-XXXXXX.new", file_name(products), own_process())).string();
    const int file = ::mkstemps(name.data(), ending_length);
    if (file < 0) {
        const std::error_code reason{errno, std::generic_category()};
        return Error{ErrorCode::no_resources, folder.string(),
                     "cannot make a file here: " + reason.message()};
    }
    ::close(file);
    return fs::path{name};
}

}  // namespace

fs::path default_data_folder() {
    const auto from = [](const char* variable, std::string_view below) -> fs::path {
        const char* const value = std::getenv(variable);
        if (value == nullptr || *value != '/') return {};
        return fs::path{value} / below / "latency-lab";
    };
    for (const fs::path& folder : {from("XDG_CACHE_HOME", ""), from("HOME", ".cache")}) {
        std::error_code error;
        if (folder.empty()) continue;
        fs::create_directories(folder, error);
        if (!error && ::access(folder.c_str(), W_OK | X_OK) == 0) return folder;
    }
    std::error_code error;
    fs::path temporary = fs::temp_directory_path(error);
    if (error) temporary = "/tmp";
    return temporary / fmt::format("latency-lab-cache-{}", ::geteuid());
}

Result<fs::path> ensure_template(const fs::path& folder, int products,
                                 const Preparation& preparation) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) {
        return Error{ErrorCode::no_resources, folder.string(),
                     "cannot make this folder: " + error.message()};
    }
    const fs::path file = folder / file_name(products);
    if (is_whole(file, products)) return file;

    remove_useless(folder);
    const auto unfinished = begin_unfinished(folder, products);
    if (!unfinished) return unfinished.error();
    auto written = write_template(*unfinished, products, preparation);
    if (written) {
        fs::rename(*unfinished, file, error);
        if (!error) return file;
        written = Error{ErrorCode::no_resources, file.string(), error.message()};
    }
    fs::remove(*unfinished, error);
    return written.error();
}

std::string sku_of(std::int64_t product) {
    // An odd multiplier makes it a permutation of 32 bits: no two products share a code.
    const auto mixed = static_cast<std::uint32_t>(product) * 2'654'435'761U;
    return fmt::format("P-{:08X}", mixed);
}

std::string name_of(std::int64_t product) {
    static constexpr std::array<std::string_view, 16> adjectives = {
        "Quiet",  "Bright", "Sturdy", "Light", "Folding", "Round",  "Slim",  "Warm",
        "Simple", "Copper", "Oak",    "Blue",  "Green",   "Silver", "Small", "Large"};
    static constexpr std::array<std::string_view, 16> nouns = {
        "kettle", "lamp", "chair", "desk",  "shelf", "clock", "mug",   "pan",
        "bowl",   "rug",  "stool", "frame", "vase",  "tray",  "board", "basket"};
    const auto id = static_cast<std::uint64_t>(product);
    return fmt::format("{} {} {}",
                       adjectives[core::keyed_below(data_seed, id, adjective, adjectives.size())],
                       nouns[core::keyed_below(data_seed, id, noun, nouns.size())], product);
}

std::string description_of(std::int64_t product) {
    static constexpr std::array<std::string_view, 8> uses = {
        "For kitchens where every minute counts.",    "Made for small flats and large families.",
        "Looks as good in the hall as in the study.", "A present that nobody has twice.",
        "Stands firmly on stone, wood and carpet.",   "For the terrace, the garden or the boat.",
        "Folds away when guests have gone home.",     "The one that our own staff take home."};
    static constexpr std::array<std::string_view, 8> cares = {"Wipe with a damp cloth.",
                                                              "Safe in the dishwasher.",
                                                              "Oil it once a year.",
                                                              "Needs no care at all.",
                                                              "Keep it out of the midday sun.",
                                                              "Wash by hand, dry at once.",
                                                              "Ten years of spare parts.",
                                                              "Sent back free within thirty days."};
    static constexpr std::array<std::string_view, 8> origins = {
        "Turned and glazed in a workshop of six people.",
        "Cut from wood of managed forests.",
        "Pressed from recycled bottles.",
        "Cast in one piece, without a seam.",
        "Sewn by hand from heavy cotton.",
        "Drawn by students, built by masters.",
        "Fired twice at twelve hundred degrees.",
        "Welded, ground and polished by robots."};
    const auto id = static_cast<std::uint64_t>(product);
    const auto pick = [id](const auto& list, Column column) {
        return list[core::keyed_below(data_seed, id, column, list.size())];
    };
    return fmt::format("{} {} {}", pick(uses, use), pick(cares, care), pick(origins, origin));
}

std::vector<Review> reviews_of(std::int64_t product) {
    static constexpr std::array<std::string_view, 8> opinions = {
        "Better than the last one.", "Does what it says.",
        "Came in two days.",         "A little smaller than I thought.",
        "My sister wants one too.",  "The handle is loose.",
        "I would buy it again.",     "Not what I had hoped for."};
    constexpr std::uint64_t most = 3;
    const auto id = static_cast<std::uint64_t>(product);
    std::vector<Review> made(1 + core::keyed_below(data_seed, id, reviews, most));
    for (std::size_t i = 0; i < made.size(); ++i) {
        const auto pick = core::keyed_below(data_seed, id * (most + 1) + i, opinion, 5 * 8);
        made[i] = {static_cast<int>(i) + 1, static_cast<int>(pick % 5) + 1, opinions[pick / 5]};
    }
    return made;
}

std::int64_t price_of(std::int64_t product) {
    const auto id = static_cast<std::uint64_t>(product);
    return least_price +
           static_cast<std::int64_t>(core::keyed_below(data_seed, id, cents, price_range));
}

}  // namespace lab::live
