// SPDX-License-Identifier: GPL-3.0-or-later
// Boost.JSON, compiled once: the tests read back with a foreign parser what we write.
#include <boost/json/src.hpp>
