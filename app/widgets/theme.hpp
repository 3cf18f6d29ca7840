// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QColor>
#include <QFont>
#include <QPalette>
#include <QString>

namespace lab::app {

/// Every colour of the window, by what it means. Okabe-Ito; two sets, light and dark.
struct Theme {
    bool dark = false;
    QColor window, panel, line;  ///< background, card, hairline
    QColor text, secondText;
    QColor chip, grid;        ///< quiet fill, chart grid
    QColor accent, onAccent;  ///< the one primary action, and text on it
    QColor better, worse;
    QColor queueFill, ioFill, computing, database;     ///< what a request is doing
    QColor p50, p95, p99, offered, completed, errors;  ///< lines

    static Theme light();
    static Theme forDark();
    /// Read from the system's palette: dark where the window text is lighter than the window.
    static bool systemIsDark(const QPalette& systemPalette);
    /// The set that a widget's palette was made from: for painting without being told of the theme.
    static Theme from(const QPalette& palette);

    [[nodiscard]] QPalette palette() const;
    /// The application's style sheet: 8 px corners, hairlines, no shadows.
    [[nodiscard]] QString styleSheet() const;
};

/// Inter where installed, else the system's face. Pixel sizes at zoom 1.
struct Fonts {
    static QFont text(int pixelSize = 13, QFont::Weight weight = QFont::Normal);
    /// Tabular digits for figures that change.
    static QFont figures(int pixelSize = 22);
    /// JetBrains Mono where installed, else the system's fixed face.
    static QFont code(int pixelSize = 13);
    static QFont groupName();  ///< small capitals, 11 px
};

}  // namespace lab::app
