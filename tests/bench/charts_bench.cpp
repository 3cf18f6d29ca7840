// SPDX-License-Identifier: GPL-3.0-or-later
// What drawing one frame costs: CPU milliseconds with a full window of 600 points, by widget,
// offscreen. Exit 1 when all charts together pass 6 % of a core at 10 frames a second, or one turn
// takes over 16 ms.
#include <QApplication>
#include <QElapsedTimer>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <vector>

#include "charts/charts_panel.hpp"
#include "models/run_history.hpp"
#include "support/synthetic_frames.hpp"
#include "widgets/figures_row.hpp"
#include "widgets/pipeline_view.hpp"
#include "widgets/plot_card.hpp"

namespace {

using namespace lab;
using namespace lab::app;

double cpuMs() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

struct Cost {
    double mean = 0, worst = 0;
};

/// CPU time of `turn` for each of the frames.
template <class Turn>
Cost costOf(const std::vector<FramePtr>& frames, Turn turn) {
    Cost cost;
    for (const FramePtr& frame : frames) {
        const double before = cpuMs();
        turn(frame);
        const double spent = cpuMs() - before;
        cost.mean += spent / static_cast<double>(frames.size());
        cost.worst = std::max(cost.worst, spent);
    }
    return cost;
}

void print(const char* what, const Cost& cost) {
    std::printf("%-28s %7.2f ms mean %7.2f ms worst\n", what, cost.mean, cost.worst);
}

}  // namespace

int main(int argc, char** argv) {
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication application(argc, argv);
    test::SyntheticPlan plan{.rate = 2000, .wait = 4ms, .workers = 4, .laterWorkers = 12};
    plan.length = 75;
    const std::vector<FramePtr> frames = test::SyntheticRun(plan).frames();
    const std::vector<FramePtr> first(frames.begin(), frames.begin() + 650);
    const std::vector<FramePtr> rest(frames.begin() + 650, frames.end());

    RunHistory history;
    print("history", costOf(first, [&](const FramePtr& f) { history.append(f); }));
    history.pinAsA();

    ChartsPanel charts(&history);
    charts.resize(732, 520);  // the bench at 1440 x 900
    charts.show();
    QApplication::processEvents();
    charts.grab();
    const Cost all = costOf(rest, [&](const FramePtr& f) {
        history.append(f);
        for (PlotCard* chart : charts.charts()) chart->repaint();
    });
    print("history and four charts", all);
    for (PlotCard* chart : charts.charts()) {
        chart->setFixedSize(360, 255);
        for (PlotCard* other : charts.charts()) other->setVisible(other == chart);
        QApplication::processEvents();
        const Cost one = costOf(rest, [&](const FramePtr& f) {
            history.append(f);
            chart->repaint();
        });
        print(qPrintable(chart->title()), one);
    }
    for (PlotCard* chart : charts.charts()) chart->setVisible(true);
    charts.hide();
    print("hidden", costOf(rest, [&](const FramePtr& f) {
              history.append(f);
              QApplication::processEvents();
          }));
    FiguresRow figures(&history);
    figures.resize(732, 75);
    figures.show();
    print("figures", costOf(rest, [&](const FramePtr& f) {
              history.append(f);
              figures.repaint();
              QApplication::processEvents();
          }));
    constexpr double budget = 6, turn = 16;  // ms a frame is 6 % of a core at 10 a second
    const bool fine = all.mean < budget && all.worst < turn;
    std::printf("%s: %.1f %% of a core at 10 frames a second\n", fine ? "ok" : "TOO DEAR",
                all.mean);
    return fine ? 0 : 1;
}
