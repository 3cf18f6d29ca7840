// SPDX-License-Identifier: GPL-3.0-or-later
// The frame that every chart shares: title, legend, axes, markers, cursor, table, copying.
#pragma once

#include <QFont>
#include <QPixmap>
#include <QString>
#include <QVariant>
#include <QWidget>

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "models/run_history.hpp"
#include "widgets/theme.hpp"

class QMenu;
class QTableView;
class QToolButton;

namespace lab::app {

class ChartTable;

/// The vertical axis: its range and where it is labelled. A logarithmic one has least > 0.
struct ValueAxis {
    double least = 0, most = 1;
    bool logarithmic = false;
    std::vector<std::pair<double, QString>> ticks;
    /// 0 at least, 1 at most; not clamped, values at or below 0 on a logarithmic axis give 0.
    [[nodiscard]] double share(double value) const;
    friend bool operator==(const ValueAxis&, const ValueAxis&) = default;
};
/// 0 to a round number that holds `most` (at least `floor`), in about four steps.
[[nodiscard]] ValueAxis linearAxis(double most, double floor);
/// Whole decades round [least, most] milliseconds, two at least: "10", "100", "1 s", "10 s".
[[nodiscard]] ValueAxis logAxis(double leastMs, double mostMs);

/// Where the data goes, in widget pixels.
struct PlotArea {
    QRectF rect;
    RunHistory::TimeRange time;
    ValueAxis axis;
    double scale = 1;
    [[nodiscard]] double x(double seconds) const;
    [[nodiscard]] double y(double value) const;
};

/// A sample of colour and its name.
struct LegendEntry {
    enum class Shape { line, dashed, block };
    QString name;
    QColor colour;
    Shape shape = Shape::line;
    friend bool operator==(const LegendEntry&, const LegendEntry&) = default;
};

/// One line of what the cursor tells: "p99  212 ms".
struct ReadoutLine {
    QString name, value;
    QColor colour;
};

/// One column of the table behind a chart. An invalid value is an empty cell: no samples.
struct TableColumn {
    QString header;  ///< as shown, with the unit: "p99 (ms)"
    std::function<QVariant(const HistoryPoint&)> value;
    int decimals = 1;
};

/// Base of the charts. Draws itself into a picture once for each RunHistory::changed() and only
/// while it can be seen; moving the cursor lays two lines over that picture.
///
/// Keys: left and right move the cursor, Home and End jump, Esc takes it away, T shows the table,
/// Ctrl+C copies the table as CSV. Threads: GUI.
class PlotCard : public QWidget {
    Q_OBJECT

  public:
    ~PlotCard() override;

    void setTheme(const Theme& theme);
    /// 1 on the bench; about 1.35 on a projector: text, lines and margins.
    void setScale(double scale);
    /// False: no panel and no button (Present).
    void setFramed(bool framed);
    void setHint(const QString& text);
    /// A word beside the title: "open loop".
    void setBadge(const QString& text);
    /// Where the cursor stands, snapped to a frame; empty: none.
    void setCursorTime(std::optional<double> seconds);
    [[nodiscard]] std::optional<double> cursorTime() const { return m_cursor; }

    /// Lines that title and legend take, and how many to leave room for, so that neighbours align.
    [[nodiscard]] int headerLines() const;
    void setLeastHeaderLines(int lines);

    [[nodiscard]] QString title() const { return m_title; }
    void setTableShown(bool shown);
    [[nodiscard]] bool isTableShown() const;
    /// The values behind the chart; filled while the table is shown or copied.
    [[nodiscard]] ChartTable* table();
    /// RFC 4180, decimal point in every locale, units in the header.
    [[nodiscard]] QString csv();
    void copyCsv();
    void copyPicture();
    /// How often the data has been drawn, for tests of cost.
    [[nodiscard]] int redraws() const { return m_redraws; }
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

  Q_SIGNALS:
    /// The person points at a moment; empty: at none.
    void cursorMoved(std::optional<double> seconds);

  protected:
    PlotCard(const QString& title, const QString& unit, RunHistory* history, QWidget* parent);

    // What a chart is: all are asked only while it is drawn or its table is filled.
    [[nodiscard]] virtual std::vector<LegendEntry> legend() const = 0;
    [[nodiscard]] virtual ValueAxis wantedAxis() const = 0;
    [[nodiscard]] virtual std::vector<ReadoutLine> readout(const HistoryPoint& point) const = 0;
    [[nodiscard]] virtual std::vector<TableColumn> columns() const = 0;
    virtual void paintData(QPainter& painter, const PlotArea& area) = 0;
    /// What the chart shows, in a sentence or two: the tooltip of its title.
    [[nodiscard]] virtual QString explanation() const = 0;
    /// What the chart adds to its context menu; nothing unless told otherwise.
    virtual void extendMenu(QMenu& menu);
    /// Something that the legend or the lines depend on has changed.
    void redrawAll();
    /// Under the data and cached until the range, size, theme or ghost changes: ghost A.
    virtual void paintBehind(QPainter& painter, const PlotArea& area);

    [[nodiscard]] const RunHistory& history() const { return *m_history; }
    [[nodiscard]] const Theme& theme() const { return m_theme; }
    [[nodiscard]] double scale() const { return m_scale; }

    void paintEvent(QPaintEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    bool event(QEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

  private:
    struct Ground;  // the cached ground layer and what it was drawn for

    struct Faces {  // made once a scale: looking a face up costs more than drawing with it
        QFont title, label, strong, tiny, hint;
    };
    struct Header;  // where title and legend go

    void onHistoryChanged();
    void redrawSoon();
    void drawPicture();
    void drawGround(const PlotArea& area);
    [[nodiscard]] Header layOutHeader() const;
    void paintHeader(QPainter& painter, const Header& header) const;
    void paintAxes(QPainter& painter, const PlotArea& area) const;
    void paintBands(QPainter& painter, const PlotArea& area) const;
    void paintMarkers(QPainter& painter, const PlotArea& area) const;
    void paintCursor(QPainter& painter) const;
    [[nodiscard]] PlotArea layOut() const;
    void pointAt(std::optional<double> seconds);
    void moveCursorBy(int frames);
    void fillTable();
    void makeFaces();
    void placeChildren();
    void tellAccessibility();

    QString m_title, m_unit, m_hint, m_badge;
    RunHistory* m_history;
    Theme m_theme;
    double m_scale = 1;
    Faces m_faces;
    bool m_framed = true;
    std::optional<double> m_cursor;
    QPixmap m_picture;
    bool m_stale = true;
    PlotArea m_area;
    std::unique_ptr<Ground> m_ground;
    QTableView* m_tableView = nullptr;
    QToolButton* m_tableButton = nullptr;
    ChartTable* m_table = nullptr;
    int m_redraws = 0;
    int m_leastHeaderLines = 1;
    int m_untilTold = 0;  // frames until the accessible description is renewed
};

}  // namespace lab::app
