// SPDX-License-Identifier: GPL-3.0-or-later
#include "live/page_template.hpp"

#include <kainjow/mustache.hpp>

#include <fmt/format.h>

#include "lab/assert.hpp"

namespace lab::live {

namespace mustache = kainjow::mustache;

namespace {

constexpr const char* page =
    "<!doctype html>\n<table>\n"
    "{{#rows}}<tr><td>{{id}}</td><td>{{name}}</td><td>{{price}}</td><td>{{category}}</td></tr>\n"
    "{{/rows}}</table>\n";

mustache::data to_data(std::int64_t id, const std::string& name, std::int64_t cents,
                       std::int64_t category) {
    mustache::data row{mustache::data::type::object};
    row.set("id", std::to_string(id));
    row.set("name", name);
    row.set("price", fmt::format("{}.{:02}", cents / 100, cents % 100));
    row.set("category", std::to_string(category));
    return row;
}

}  // namespace

struct PageTemplate::Parsed {
    mustache::mustache text{page};
};

PageTemplate::PageTemplate() = default;
PageTemplate::~PageTemplate() = default;

void PageTemplate::render(const std::vector<ProductRow>& rows, std::uint32_t count,
                          std::string& body) {
    if (!parsed_) parsed_ = std::make_unique<Parsed>();
    LAB_ASSERT(parsed_->text.is_valid());
    mustache::data list{mustache::data::type::list};
    for (std::uint32_t i = 0; i < count; ++i) {
        if (rows.empty()) {
            const std::int64_t id = i + 1;
            list.push_back(to_data(id, name_of(id), price_of(id), 0));
        } else {
            const ProductRow& row = rows[i % rows.size()];
            list.push_back(to_data(row.id, row.name, row.price, row.category));
        }
    }
    mustache::data all{mustache::data::type::object};
    all.set("rows", std::move(list));
    parsed_->text.render(all, [&body](const std::string& piece) { body += piece; });
}

}  // namespace lab::live
