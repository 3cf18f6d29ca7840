// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/icons.hpp"

#include <QDir>
#include <QPainter>
#include <QSvgRenderer>

// At file level: the macro declares a function of the global namespace.
static void initBundle() { Q_INIT_RESOURCE(latency_lab); }

namespace lab::app {

void initResources() { initBundle(); }

QPixmap tintedPixmap(const QString& name, const QColor& colour, int size, qreal devicePixelRatio) {
    const int pixels = qRound(size * devicePixelRatio);
    QPixmap pixmap(pixels, pixels);
    pixmap.fill(Qt::transparent);
    QSvgRenderer renderer(QStringLiteral(":/icons/") + name + QStringLiteral(".svg"));
    {
        QPainter painter(&pixmap);
        renderer.render(&painter, QRectF(0, 0, pixels, pixels));
        painter.setCompositionMode(QPainter::CompositionMode_SourceIn);
        painter.fillRect(pixmap.rect(), colour);
    }
    pixmap.setDevicePixelRatio(devicePixelRatio);
    return pixmap;
}

QIcon tintedIcon(const QString& name, const QColor& colour) {
    QIcon icon;
    for (const int size : {16, 20, 32, 40}) icon.addPixmap(tintedPixmap(name, colour, size, 1));
    return icon;
}

}  // namespace lab::app
