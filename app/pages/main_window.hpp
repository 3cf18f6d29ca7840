// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "bridge/preferences.hpp"
#include "bridge/storage.hpp"
#include "models/gallery.hpp"
#include "widgets/theme.hpp"

class QAction;
class QMenu;
class QStackedWidget;

namespace lab::app {

class BenchPage;
class ExperimentBridge;
class GalleryPage;
class LessonController;
class LessonModel;
class NavRail;
class PresentPage;
class QueryDialog;
class RunController;
class RunHistory;
class SettingsDialog;
class SqlBridge;
class TopBar;

/// The window: which page is on screen, what opens, keys, theme, files dropped on it. Threads: GUI.
class MainWindow : public QWidget {
    Q_OBJECT
  public:
    enum class Place { gallery, lesson, experiment, present };

    /// `storage` and `bridge` must outlive the window. `systemPalette`: as it was before any of
    /// ours.
    MainWindow(Storage* storage, ExperimentBridge* bridge, const Preferences& preferences,
               const QPalette& systemPalette, QWidget* parent = nullptr);
    ~MainWindow() override;

    /// A scenario's id or file; read on the storage thread. What is open stays where it cannot be
    /// used.
    void openByName(const QString& idOrPath);
    void openLesson(const ScenarioPtr& scenario);
    /// Opens it on the bench and runs.
    void playScenario(const ScenarioPtr& scenario);
    void showPlace(Place place);
    [[nodiscard]] Place place() const { return m_place; }
    void setThemeChoice(ThemeChoice choice);

    [[nodiscard]] RunController* run() const { return m_run; }
    [[nodiscard]] LessonModel* lesson() const { return m_lesson; }
    [[nodiscard]] LessonController* lessonController() const { return m_controller; }
    [[nodiscard]] GalleryModel* gallery() const { return m_gallery; }
    [[nodiscard]] GalleryPage* galleryPage() const { return m_galleryPage; }
    [[nodiscard]] BenchPage* benchPage() const { return m_bench; }
    /// Null until it has been asked for.
    [[nodiscard]] QueryDialog* queryDialog() const { return m_query; }
    [[nodiscard]] SettingsDialog* settingsDialog() const { return m_settings; }
    [[nodiscard]] PresentPage* presentPage() const { return m_present; }
    [[nodiscard]] TopBar* topBar() const { return m_bar; }

  protected:
    void closeEvent(QCloseEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

  private:
    void buildPages();
    void buildActions();
    void connectAll();
    QAction* addKey(QMenu* menu, const QString& text, const QKeySequence& keys,
                    void (MainWindow::*slot)());
    void addThemeChoices(QMenu* menu);
    void applyTheme();
    void say(const QString& title, const QString& message);
    void ensureScenario();
    void showLessonButton();
    void onRail(int place);
    void toggleRun();
    void runNow();
    void stopOrLeave();
    void resetRun();
    void askForFile();
    void findLesson();
    void showCache();
    void askDatabase();
    void showSettings();
    void toggleFullScreen();
    void togglePresent();
    void leavePresent();
    void updateKeys();

    Storage* m_storage;
    ExperimentBridge* m_bridge;
    Preferences m_preferences;
    QPalette m_systemPalette;
    RunHistory* m_history;
    RunController* m_run;
    LessonModel* m_lesson;
    LessonController* m_controller;
    GalleryModel* m_gallery;
    TopBar* m_bar = nullptr;
    NavRail* m_rail = nullptr;
    QStackedWidget* m_stack = nullptr;
    GalleryPage* m_galleryPage = nullptr;
    BenchPage* m_bench = nullptr;
    PresentPage* m_present = nullptr;
    SqlBridge* m_sql = nullptr;
    QueryDialog* m_query = nullptr;        ///< made when it is first asked for
    SettingsDialog* m_settings = nullptr;  ///< made when it is first asked for
    QAction* m_stopKey = nullptr;
    Place m_place = Place::gallery;
    Place m_beforePresent = Place::gallery;
    bool m_fullBeforePresent = false;
};

}  // namespace lab::app
