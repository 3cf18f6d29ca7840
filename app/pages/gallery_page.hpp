// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>
#include <QScrollArea>
#include <vector>

#include "models/gallery.hpp"

class QLabel;
class QPushButton;
class QVBoxLayout;

namespace lab::app {

class Banner;
class HeroPicture;
class ScenarioCard;

/// The first screen: one invitation, then the courses with their cards. Threads: GUI.
class GalleryPage : public QScrollArea {
    Q_OBJECT
  public:
    explicit GalleryPage(GalleryModel* model, QWidget* parent = nullptr);

    void setSearch(const QString& text);
    /// As a click on the first card that was found; nothing without a search.
    void openFound();
    void showProblem(const QString& title, const QString& message);
    [[nodiscard]] Banner* banner() const { return m_banner; }
    [[nodiscard]] QPushButton* predictButton() const { return m_predict; }
    [[nodiscard]] QPushButton* playButton() const { return m_play; }
    [[nodiscard]] const std::vector<ScenarioCard*>& cards() const { return m_cards; }

  signals:
    /// Open as a lesson.
    void opened(lab::app::ScenarioPtr scenario);
    /// Open in free play and run.
    void played(lab::app::ScenarioPtr scenario);

  protected:
    void resizeEvent(QResizeEvent* event) override;

  private:
    QFrame* buildHero();
    void refresh();
    void showHero();
    void inviteOnce();
    void rebuildCourses();
    QWidget* makeHeading(const GalleryCourse& course, bool narrow);
    QWidget* makeSection(const GalleryCourse& course, int columns);

    GalleryModel* m_model;
    QString m_search;
    Banner* m_banner;
    QFrame* m_hero;
    QLabel* m_heroTag;
    QLabel* m_heroTitle;
    QLabel* m_heroSummary;
    QPushButton* m_predict;
    QPushButton* m_play;
    HeroPicture* m_picture;
    QLabel* m_empty;
    QWidget* m_courses = nullptr;
    QVBoxLayout* m_layout;
    ScenarioPtr m_start;
    std::vector<GalleryCourse> m_shown;
    std::vector<ScenarioCard*> m_cards;
    int m_columns = 0;
    bool m_invited = false;
};

}  // namespace lab::app
