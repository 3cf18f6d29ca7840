// SPDX-License-Identifier: GPL-3.0-or-later
// The program latency-lab-window: makes every part and ties them together.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include <QApplication>
#include <QSocketNotifier>
#include <QStyleFactory>
#include <QTemporaryDir>

#include "bridge/experiment_bridge.hpp"
#include "bridge/storage.hpp"
#include "lab/doctor.hpp"
#include "pages/main_window.hpp"
#include "pages/screenshot_tour.hpp"
#include "pages/window_meter.hpp"
#include "widgets/icons.hpp"

namespace {

using namespace lab::app;

constexpr int exitFine = 0;
constexpr int exitFailed = 1;
constexpr int exitWrongUse = 2;

const char* const help =
    "latency-lab-window: see why web applications are slow and what makes them fast\n"
    "\n"
    "  latency-lab-window [SCENARIO]         opens the window; SCENARIO is an id or a file\n"
    "  latency-lab-window --screenshots DIR  goes through the pages, saves a picture of each, "
    "ends\n"
    "  latency-lab-window --measure SCENARIO runs it, prints what the window itself costs, ends\n"
    "  latency-lab-window --help | --version\n"
    "\n"
    "Without a display use latency-lab, which does everything in a terminal.\n";

struct Arguments {
    QString scenario;
    QString screenshots;
    bool measure = false;         ///< print what the window costs, then end
    std::optional<int> exitCode;  ///< all was said already
};

Arguments readArguments(int argc, char** argv) {
    Arguments arguments;
    const auto wrong = [&](const std::string& why) {
        std::fprintf(stderr, "latency-lab-window: %s; see --help\n", why.c_str());
        arguments.exitCode = exitWrongUse;
        return arguments;
    };
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--help" || word == "-h") {
            std::fputs(help, stdout);
            arguments.exitCode = exitFine;
            return arguments;
        }
        if (word == "--version") {
            std::fputs(("latency-lab-window " + lab::version() + "\n").c_str(), stdout);
            arguments.exitCode = exitFine;
            return arguments;
        }
        if (word == "--measure") {
            arguments.measure = true;
        } else if (word == "--screenshots") {
            if (i + 1 >= argc) return wrong("--screenshots needs a folder");
            arguments.screenshots = QString::fromLocal8Bit(argv[++i]);
        } else if (word.size() > 1 && word.front() == '-') {
            return wrong("unknown option " + std::string(word));
        } else if (!arguments.scenario.isEmpty()) {
            return wrong("one scenario at a time");
        } else {
            arguments.scenario = QString::fromLocal8Bit(argv[i]);
        }
    }
    return arguments;
}

bool displayIsThere() {
    for (const char* name : {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}) {
        const char* value = std::getenv(name);
        if (value != nullptr && *value != '\0') return true;
    }
    return false;
}

/// Qt aborts where the display it was told of does not answer; a message and an exit code are
/// kinder.
void endWhereQtCannotStart(QtMsgType type, const QMessageLogContext&, const QString& message) {
    std::fprintf(stderr, "%s\n", message.toLocal8Bit().constData());
    if (type != QtFatalMsg) return;
    std::fputs("latency-lab-window: the display cannot be used; latency-lab works in a terminal\n",
               stderr);
    std::fflush(stderr);
    std::_Exit(exitFailed);
}

/// The writing end of the pipe through which a signal reaches the event loop. A signal handler can
/// reach nothing else.
volatile int signalPipe = -1;  // NOLINT: written once, before the handler is installed

void onSignal(int) {
    const char byte = 1;
    [[maybe_unused]] const auto written = ::write(signalPipe, &byte, 1);
}

/// Returns the reading end, or -1 where there are no descriptors: the signals then end us as they
/// always do.
int catchSignals() {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
    signalPipe = ends[1];
    struct sigaction action = {};
    action.sa_handler = onSignal;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) ::sigaction(number, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    return ends[0];
}

}  // namespace

int main(int argc, char** argv) {
    const Arguments arguments = readArguments(argc, argv);
    if (arguments.exitCode) return *arguments.exitCode;
    if (!displayIsThere()) {
        std::fputs("latency-lab-window: there is no display; latency-lab works in a terminal\n",
                   stderr);
        return exitFailed;
    }
    const int signals_ = catchSignals();
    const QtMessageHandler usual = qInstallMessageHandler(endWhereQtCannotStart);
    QApplication application(argc, argv);
    qInstallMessageHandler(usual);
    QApplication::setApplicationName(QStringLiteral("latency-lab"));
    QApplication::setApplicationDisplayName(QString());
    QApplication::setApplicationVersion(QString::fromStdString(lab::version()));
    QApplication::setDesktopFileName(QStringLiteral("io.github.latency_lab.LatencyLab"));
    const QPalette systemPalette = QApplication::palette();
    QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
    QApplication::setFont(Fonts::text(13));
    initResources();
    QApplication::setWindowIcon(QIcon(QStringLiteral(":/latency-lab.svg")));

    // A tour is nobody's learning: it leaves a person's progress and preferences alone.
    std::optional<QTemporaryDir> scratch;
    Storage::Places places{lab::scenario_folders(), {}, {}};
    if (arguments.measure || !arguments.screenshots.isEmpty()) {
        scratch.emplace();
        places.data = scratch->path().toStdString();
        places.preferences = scratch->filePath(QStringLiteral("window.ini"));
    }
    Storage storage(places);
    ExperimentBridge bridge(&makeLiveRunner);
    MainWindow window(&storage, &bridge, readPreferences(places.preferences), systemPalette);
    window.show();
    if (!arguments.scenario.isEmpty()) window.openByName(arguments.scenario);

    std::optional<QSocketNotifier> notifier;
    if (signals_ >= 0) {
        notifier.emplace(signals_, QSocketNotifier::Read);
        QObject::connect(&*notifier, &QSocketNotifier::activated, &window, [&] {
            notifier->setEnabled(false);
            window.close();
            QApplication::quit();
        });
    }
    std::optional<ScreenshotTour> tour;
    if (!arguments.screenshots.isEmpty()) {
        tour.emplace(&window, arguments.screenshots);
        QObject::connect(&*tour, &ScreenshotTour::finished, &window,
                         [](int code) { QApplication::exit(code); });
        tour->start();
    }
    std::optional<WindowMeter> meter;
    if (arguments.measure) {
        meter.emplace(&window);
        QObject::connect(&*meter, &WindowMeter::finished, &window,
                         [](int code) { QApplication::exit(code); });
        meter->start();
    }
    const int code = QApplication::exec();
    window.hide();
    return code;
}
