// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "live/database.hpp"

namespace lab::live {

/// The page that a render step makes: a table of products through a real template engine. Parsed
/// once.
///
/// Threads: one at a time; each worker thread has its own.
class PageTemplate {
  public:
    PageTemplate();
    ~PageTemplate();

    /// Appends the page to `body`: `count` rows, those of `rows` in turn, repeated if they are
    /// fewer; generated ones where there are none.
    void render(const std::vector<ProductRow>& rows, std::uint32_t count, std::string& body);

  private:
    struct Parsed;
    std::unique_ptr<Parsed> parsed_;
};

}  // namespace lab::live
