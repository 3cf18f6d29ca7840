// SPDX-License-Identifier: GPL-3.0-or-later
// Boost.JSON is compiled here, once for this program.
#include <boost/json/src.hpp>
