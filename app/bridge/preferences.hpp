// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QString>

namespace lab::app {

enum class ThemeChoice { system, light, dark };

/// What the window remembers. A plain value: read once before the window opens, written on the
/// storage thread.
struct Preferences {
    ThemeChoice theme = ThemeChoice::system;
    QByteArray geometry;
    friend bool operator==(const Preferences&, const Preferences&) = default;
};

/// From the file ($XDG_CONFIG_HOME/latency-lab/window.ini when empty). What cannot be read is as at
/// first. Blocks on the disk. Threads: any, one at a time.
[[nodiscard]] Preferences readPreferences(const QString& file);
/// Returns why they could not be kept, or an empty string.
[[nodiscard]] QString writePreferences(const QString& file, const Preferences& preferences);
[[nodiscard]] QString preferencesFile();

}  // namespace lab::app
