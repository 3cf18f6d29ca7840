// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QColor>
#include <QIcon>
#include <QPixmap>
#include <QString>

namespace lab::app {

/// Makes the bundled pictures readable; once, before the first icon.
void initResources();

/// A bundled line icon ("learn", "play" ...) drawn in one colour, sharp at this pixel ratio.
[[nodiscard]] QPixmap tintedPixmap(const QString& name, const QColor& colour, int size,
                                   qreal devicePixelRatio);
[[nodiscard]] QIcon tintedIcon(const QString& name, const QColor& colour);

}  // namespace lab::app
