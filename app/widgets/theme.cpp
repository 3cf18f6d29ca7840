// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/theme.hpp"

#include <QFontDatabase>
#include <QFontInfo>

namespace lab::app {

Theme Theme::light() {
    Theme t;
    t.dark = false;
    t.window = QColor(0xf4, 0xf5, 0xf7);
    t.panel = QColor(0xff, 0xff, 0xff);
    t.line = QColor(0xe1, 0xe4, 0xea);
    t.text = QColor(0x1b, 0x23, 0x30);
    t.secondText = QColor(0x5d, 0x68, 0x78);
    t.chip = QColor(0xee, 0xf1, 0xf5);
    t.grid = QColor(0xed, 0xef, 0xf3);
    t.accent = QColor(0x00, 0x72, 0xb2);
    t.onAccent = QColor(0xff, 0xff, 0xff);
    t.better = QColor(0x00, 0x9e, 0x73);
    t.worse = QColor(0xd5, 0x5e, 0x00);
    t.queueFill = QColor(0xe6, 0x9f, 0x00);
    t.ioFill = QColor(0x56, 0xb4, 0xe9);
    t.computing = QColor(0x00, 0x72, 0xb2);
    t.database = QColor(0xaa, 0x44, 0x99);
    t.p50 = t.better;
    t.p95 = t.database;
    t.p99 = t.worse;
    t.offered = t.secondText;
    t.completed = t.accent;
    t.errors = t.worse;
    return t;
}

Theme Theme::forDark() {
    Theme t;
    t.dark = true;
    t.window = QColor(0x12, 0x16, 0x1c);
    t.panel = QColor(0x1a, 0x20, 0x29);
    t.line = QColor(0x2b, 0x34, 0x41);
    t.text = QColor(0xe6, 0xeb, 0xf2);
    t.secondText = QColor(0x93, 0xa0, 0xb2);
    t.chip = QColor(0x24, 0x2c, 0x38);
    t.grid = QColor(0x25, 0x2d, 0x39);
    t.accent = QColor(0x56, 0xb4, 0xe9);
    t.onAccent = QColor(0x0b, 0x16, 0x20);
    t.better = QColor(0x2f, 0xbf, 0x96);
    t.worse = QColor(0xff, 0x7a, 0x3d);
    t.queueFill = QColor(0xf0, 0xb4, 0x29);
    t.ioFill = QColor(0x7c, 0xc7, 0xf2);
    t.computing = QColor(0x56, 0xb4, 0xe9);
    t.database = QColor(0xd5, 0x8b, 0xd0);
    t.p50 = t.better;
    t.p95 = t.database;
    t.p99 = t.worse;
    t.offered = t.secondText;
    t.completed = t.accent;
    t.errors = t.worse;
    return t;
}

bool Theme::systemIsDark(const QPalette& systemPalette) {
    return systemPalette.color(QPalette::WindowText).lightness() >
           systemPalette.color(QPalette::Window).lightness();
}

Theme Theme::from(const QPalette& palette) { return systemIsDark(palette) ? forDark() : light(); }

QPalette Theme::palette() const {
    QPalette p;
    p.setColor(QPalette::Window, window);
    p.setColor(QPalette::WindowText, text);
    p.setColor(QPalette::Base, panel);
    p.setColor(QPalette::AlternateBase, chip);
    p.setColor(QPalette::Text, text);
    p.setColor(QPalette::PlaceholderText, secondText);
    p.setColor(QPalette::Button, panel);
    p.setColor(QPalette::ButtonText, text);
    p.setColor(QPalette::BrightText, worse);
    p.setColor(QPalette::ToolTipBase, panel);
    p.setColor(QPalette::ToolTipText, text);
    p.setColor(QPalette::Highlight, accent);
    p.setColor(QPalette::HighlightedText, onAccent);
    p.setColor(QPalette::Link, accent);
    p.setColor(QPalette::LinkVisited, accent);
    p.setColor(QPalette::Light, line);
    p.setColor(QPalette::Midlight, line);
    p.setColor(QPalette::Mid, line);
    p.setColor(QPalette::Dark, line);
    p.setColor(QPalette::Shadow, line);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) {
        p.setColor(QPalette::Disabled, role, secondText);
    }
    return p;
}

namespace {

const char* const sheet = R"(
QWidget#mainWindow { background: @window; }
QFrame[kind="panel"] { background: @panel; border: 1px solid @line; border-radius: 8px; }
QFrame[kind="left"] { background: @panel; border: none; border-right: 1px solid @line; }
QFrame[kind="right"] { background: @panel; border: none; border-left: 1px solid @line; }
QFrame[kind="bar"] { background: @panel; border: none; border-bottom: 1px solid @line; }
QFrame[kind="note"] { background: @chip; border: none; border-radius: 6px; }
QFrame[kind="problem"] { background: @panel; border: 1px solid @worse; border-radius: 8px; }
QLabel { background: transparent; color: @text; }
QLabel[tone="second"] { color: @second; }
QLabel[tone="accent"] { color: @accent; }
QLabel[tone="worse"] { color: @worse; }
QLabel[tone="better"] { color: @better; }
QPushButton { background: @panel; color: @text; border: 1px solid @line; border-radius: 6px;
              padding: 6px 13px; min-height: 19px; }
QPushButton:hover { background: @chip; }
QPushButton:pressed, QPushButton:checked { background: @line; }
QPushButton:focus { border: 2px solid @accent; padding: 5px 12px; }
QPushButton:disabled { color: @second; background: @chip; border-color: @chip; }
QPushButton[kind="primary"] { background: @accent; color: @onaccent; border: 1px solid @accent; }
QPushButton[kind="primary"]:hover { background: @hover; border-color: @hover; }
QPushButton[kind="primary"]:focus { border: 2px solid @text; padding: 5px 12px; }
QPushButton[kind="primary"]:disabled { background: @chip; color: @second; border-color: @line; }
QPushButton[kind="quiet"] { background: transparent; border: 1px solid transparent; color: @second;
                            padding: 3px 7px; min-height: 16px; }
QPushButton[kind="quiet"]:hover { background: @chip; color: @text; }
QPushButton[kind="quiet"]:focus { border: 2px solid @accent; padding: 2px 6px; }
QPushButton[kind="quiet"]:checked { background: @chip; color: @text; }
QPushButton::menu-indicator { width: 0; image: none; }
QLineEdit { background: @panel; color: @text; border: 1px solid @line; border-radius: 6px;
            padding: 6px 10px; min-height: 19px; selection-background-color: @accent;
            selection-color: @onaccent; }
QLineEdit:focus { border: 2px solid @accent; padding: 5px 9px; }
QComboBox { background: @panel; color: @text; border: 1px solid @line; border-radius: 6px;
            padding: 5px 10px; min-height: 19px; selection-background-color: @accent;
            selection-color: @onaccent; }
QComboBox:focus { border: 2px solid @accent; padding: 4px 9px; }
QComboBox::drop-down { border: none; width: 22px; }
QComboBox::down-arrow { image: none; }
QComboBox QAbstractItemView { background: @panel; color: @text; border: 1px solid @line;
            selection-background-color: @accent; selection-color: @onaccent; }
QTextBrowser { background: transparent; color: @text; border: none;
               selection-background-color: @accent; selection-color: @onaccent; }
QScrollArea { background: transparent; border: none; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: @line; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::handle:hover { background: @second; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QMenu { background: @panel; color: @text; border: 1px solid @line; padding: 5px; }
QMenu::item { padding: 6px 26px 6px 26px; border-radius: 4px; }
QMenu::item:selected { background: @chip; }
QMenu::item:disabled { color: @second; }
QMenu::separator { height: 1px; background: @line; margin: 5px 4px; }
QMenu::indicator { width: 14px; height: 14px; left: 7px; }
QToolTip { background: @panel; color: @text; border: 1px solid @line; padding: 6px; }
QTableView { background: @panel; color: @text; gridline-color: @line; border: 1px solid @line; }
QTableView::item { padding: 0 5px; }
QHeaderView::section { background: @chip; color: @second; border: none; padding: 5px 8px; }
)";

}  // namespace

QString Theme::styleSheet() const {
    QString css = QString::fromLatin1(sheet);
    const QColor hover = dark ? accent.lighter(112) : accent.darker(112);
    const std::pair<const char*, QColor> names[] = {
        {"@window", window},     {"@panel", panel},   {"@line", line},     {"@chip", chip},
        {"@onaccent", onAccent}, {"@accent", accent}, {"@hover", hover},   {"@text", text},
        {"@second", secondText}, {"@worse", worse},   {"@better", better},
    };
    for (const auto& [name, colour] : names) {
        css.replace(QLatin1String(name), colour.name());
    }
    return css;
}

namespace {

/// The first of the families that is installed, else the system's face for `fallback`.
QFont face(std::initializer_list<const char*> families, QFontDatabase::SystemFont fallback) {
    for (const char* family : families) {
        const QString name = QString::fromLatin1(family);
        if (QFontDatabase::hasFamily(name)) return QFont(name);
    }
    return QFontDatabase::systemFont(fallback);
}

}  // namespace

QFont Fonts::text(int pixelSize, QFont::Weight weight) {
    QFont font = face({"Inter"}, QFontDatabase::GeneralFont);
    font.setPixelSize(pixelSize);
    font.setWeight(weight);
    return font;
}

QFont Fonts::figures(int pixelSize) {
    // Qt 6.4 cannot ask for the "tnum" feature; of the faces we choose from, Inter's proportional
    // digits are close to even and the others' are tabular by default.
    QFont font = text(pixelSize, QFont::Bold);
    font.setStyleHint(QFont::SansSerif, QFont::PreferQuality);
    return font;
}

QFont Fonts::code(int pixelSize) {
    QFont font = face({"JetBrains Mono"}, QFontDatabase::FixedFont);
    font.setPixelSize(pixelSize);
    return font;
}

QFont Fonts::groupName() {
    QFont font = text(11, QFont::Medium);
    font.setCapitalization(QFont::AllUppercase);
    font.setLetterSpacing(QFont::PercentageSpacing, 102);
    return font;
}

}  // namespace lab::app
