// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/result.hpp"

namespace lab::live {

/// What preparing a database tells and asks. Both may be empty. Called on the preparing thread.
struct Preparation {
    std::function<void(const std::string&)> on_progress;  ///< "making 200,000 products: 40 %"
    std::function<bool()> cancelled;                      ///< true gives up with interrupted

    void say(const std::string& text) const {
        if (on_progress) on_progress(text);
    }
    [[nodiscard]] bool given_up() const { return cancelled && cancelled(); }
};

/// Where generated databases are kept between runs: $XDG_CACHE_HOME/latency-lab,
/// ~/.cache/latency-lab, or the system's temporary folder where neither can be written.
[[nodiscard]] std::filesystem::path default_data_folder();

/// The generated database with so many products: tables `product` and `review`, no index but the
/// primary keys. The same rows on every machine. Read only: each run works on a copy.
///
/// One that is there is used after a check (its version, the number of rows, a walk over every
/// page); a damaged one is made anew. It is written under another name and then renamed, so that
/// two programs that make it at the same time both end well.
///
/// Errors: no_resources, failed; interrupted. Threads: any; blocks, about 1 s per 300,000 products.
[[nodiscard]] Result<std::filesystem::path> ensure_template(const std::filesystem::path& folder,
                                                            int products,
                                                            const Preparation& preparation);

/// The text code of a product, "P-9E3779B1": unique, in no order.
[[nodiscard]] std::string sku_of(std::int64_t product);
/// "Quiet kettle 4711".
[[nodiscard]] std::string name_of(std::int64_t product);
/// Three sentences: rows as wide as a shop's, which a scan has to wade through.
[[nodiscard]] std::string description_of(std::int64_t product);
/// Prices are spread evenly from here over so many cents.
inline constexpr std::int64_t least_price = 199;
inline constexpr std::int64_t price_range = 49'800;

struct Review {
    int number = 1;  ///< of the product's, from 1
    int stars = 1;   ///< 1 to 5
    std::string_view text;
};
/// One to three.
[[nodiscard]] std::vector<Review> reviews_of(std::int64_t product);
/// In cents.
[[nodiscard]] std::int64_t price_of(std::int64_t product);

}  // namespace lab::live
