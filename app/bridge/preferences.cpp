// SPDX-License-Identifier: GPL-3.0-or-later
#include "bridge/preferences.hpp"

#include <QSettings>
#include <QStandardPaths>
#include <array>

namespace lab::app {

namespace {

constexpr std::array<const char*, 3> themeNames = {"system", "light", "dark"};

QString orDefault(const QString& file) { return file.isEmpty() ? preferencesFile() : file; }

}  // namespace

QString preferencesFile() {
    return QStandardPaths::writableLocation(QStandardPaths::GenericConfigLocation) +
           QStringLiteral("/latency-lab/window.ini");
}

Preferences readPreferences(const QString& file) {
    QSettings settings(orDefault(file), QSettings::IniFormat);
    Preferences preferences;
    const QString theme = settings.value(QStringLiteral("theme")).toString();
    for (std::size_t i = 0; i < themeNames.size(); ++i) {
        if (theme == QLatin1String(themeNames[i])) {
            preferences.theme = static_cast<ThemeChoice>(i);
        }
    }
    preferences.geometry = settings.value(QStringLiteral("geometry")).toByteArray();
    return preferences;
}

QString writePreferences(const QString& file, const Preferences& preferences) {
    QSettings settings(orDefault(file), QSettings::IniFormat);
    const auto theme = static_cast<std::size_t>(preferences.theme);
    settings.setValue(QStringLiteral("theme"), QString::fromLatin1(themeNames[theme]));
    settings.setValue(QStringLiteral("geometry"), preferences.geometry);
    settings.sync();
    if (settings.status() == QSettings::NoError) return {};
    return QStringLiteral("The window's settings could not be written to ") + settings.fileName();
}

}  // namespace lab::app
