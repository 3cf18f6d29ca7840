// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/pieces.hpp"

#include <QBoxLayout>
#include <QClipboard>
#include <QDesktopServices>
#include <QEvent>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QMessageBox>
#include <QPainter>
#include <QScrollBar>
#include <QTextBlock>
#include <QTextCursor>
#include <QTimer>
#include <QUrl>
#include <algorithm>
#include <cmath>

#include "models/plain_text.hpp"
#include "widgets/icons.hpp"
#include "widgets/theme.hpp"

namespace lab::app {

QLabel* makeLabel(const QString& text, const QFont& font, const char* tone, QWidget* parent) {
    auto* label = new QLabel(parent);
    label->setTextFormat(Qt::PlainText);
    label->setFont(font);
    label->setText(text);
    if (*tone != '\0') label->setProperty("tone", QString::fromLatin1(tone));
    return label;
}

QLabel* makeParagraph(const QString& text, const QFont& font, const char* tone, QWidget* parent) {
    QLabel* label = makeLabel(text, font, tone, parent);
    label->setWordWrap(true);
    QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Minimum);
    policy.setHeightForWidth(true);
    label->setSizePolicy(policy);
    return label;
}

bool pressOnReturn(QAbstractButton* button, QKeyEvent* event) {
    if (event->key() != Qt::Key_Return && event->key() != Qt::Key_Enter) return false;
    if (!event->isAutoRepeat()) button->click();
    return true;
}

void PushButton::keyPressEvent(QKeyEvent* event) {
    if (!pressOnReturn(this, event)) QPushButton::keyPressEvent(event);
}

QPushButton* makeButton(const QString& text, const char* kind, QWidget* parent) {
    auto* button = new PushButton(text, parent);
    button->setFont(Fonts::text(13, QFont::Medium));
    button->setCursor(Qt::PointingHandCursor);
    if (*kind != '\0') button->setProperty("kind", QString::fromLatin1(kind));
    return button;
}

QFrame* makeFrame(const char* kind, QWidget* parent) {
    auto* frame = new QFrame(parent);
    frame->setProperty("kind", QString::fromLatin1(kind));
    return frame;
}

ElidedLabel::ElidedLabel(const QFont& font, QWidget* parent) : QWidget(parent) {
    setFont(font);
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
}

void ElidedLabel::setText(const QString& text) {
    if (text == m_text) return;
    m_text = text;
    setAccessibleName(text);
    updateGeometry();
    update();
}

void ElidedLabel::setRole(QPalette::ColorRole role) {
    m_role = role;
    update();
}

QSize ElidedLabel::sizeHint() const {
    return {fontMetrics().horizontalAdvance(m_text) + 2, fontMetrics().height()};
}

QSize ElidedLabel::minimumSizeHint() const {
    return {std::min(40, sizeHint().width()), fontMetrics().height()};
}

void ElidedLabel::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setPen(palette().color(m_role));
    const QString shown = fontMetrics().elidedText(m_text, Qt::ElideRight, width());
    setToolTip(shown == m_text ? QString() : toolTipText(m_text));
    painter.drawText(rect(), Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine, shown);
}

ThinProgress::ThinProgress(QWidget* parent) : QWidget(parent) { setFixedHeight(4); }

void ThinProgress::setShare(double share, bool good) {
    m_share = std::clamp(share, 0.0, 1.0);
    m_good = good;
    update();
}

void ThinProgress::paintEvent(QPaintEvent*) {
    const Theme theme = Theme::from(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme.line);
    painter.drawRoundedRect(rect(), 2, 2);
    if (m_share <= 0) return;
    painter.setBrush(m_good ? theme.better : theme.accent);
    painter.drawRoundedRect(QRectF(0, 0, std::max(4.0, width() * m_share), height()), 2, 2);
}

LessonText::LessonText(QWidget* parent) : QTextBrowser(parent) {
    setFrameShape(QFrame::NoFrame);
    setOpenLinks(false);
    setOpenExternalLinks(false);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFont(Fonts::text(13));
    setTabChangesFocus(true);
    setFocusPolicy(Qt::ClickFocus);  // reached by Tab only where there is a link
    document()->setDocumentMargin(0);
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    connect(this, &QTextBrowser::anchorClicked, this, &LessonText::askBeforeOpening);
}

QVariant LessonText::loadResource(int, const QUrl&) {
    ++m_requests;
    return {};
}

void LessonText::setLesson(const QString& markdown) {
    m_markdown = markdown;
    // A picture would be looked for: shown as it is written instead.
    QString safe = markdown;
    safe.replace(QStringLiteral("!["), QStringLiteral("!\\["));
    document()->setMarkdown(safe, QTextDocument::MarkdownFeatures(QTextDocument::MarkdownNoHTML) |
                                      QTextDocument::MarkdownDialectCommonMark);
    setAccessibleName(toPlainText());
    setFocusPolicy(markdown.contains(QStringLiteral("](")) ? Qt::StrongFocus : Qt::ClickFocus);
    applyFormats();
    fitHeight();
}

void LessonText::applyFormats() {
    const Theme theme = Theme::from(palette());
    const QFont code = Fonts::code(12);
    QTextCursor cursor(document());
    cursor.beginEditBlock();
    for (QTextBlock block = document()->begin(); block.isValid(); block = block.next()) {
        cursor.setPosition(block.position());
        QTextBlockFormat format = block.blockFormat();
        const bool isCode = format.hasProperty(QTextFormat::BlockCodeFence) ||
                            format.hasProperty(QTextFormat::BlockCodeLanguage) ||
                            format.nonBreakableLines();
        format.setLineHeight(isCode ? 125 : 132, QTextBlockFormat::ProportionalHeight);
        format.setTopMargin(0);
        format.setBottomMargin(isCode || block.textList() ? 3 : 9);
        if (isCode) format.setBackground(theme.chip);
        cursor.setBlockFormat(format);
        for (auto it = block.begin(); !it.atEnd(); ++it) {
            const QTextFragment fragment = it.fragment();
            if (!isCode && !fragment.charFormat().fontFixedPitch()) continue;
            QTextCursor part(document());
            part.setPosition(fragment.position());
            part.setPosition(fragment.position() + fragment.length(), QTextCursor::KeepAnchor);
            QTextCharFormat face;
            face.setFont(code);
            part.mergeCharFormat(face);
        }
    }
    cursor.endEditBlock();
}

int LessonText::heightAt(int width) const {
    const qreal before = document()->textWidth();
    document()->setTextWidth(width);
    const int height = static_cast<int>(std::ceil(document()->size().height())) + 2;
    document()->setTextWidth(before);
    return height;
}

QSize LessonText::sizeHint() const { return {280, height()}; }

void LessonText::fitHeight() {
    const int wanted = m_markdown.isEmpty() ? 0 : heightAt(std::max(100, viewport()->width()));
    if (height() != wanted || minimumHeight() != wanted) setFixedHeight(wanted);
}

void LessonText::resizeEvent(QResizeEvent* event) {
    QTextBrowser::resizeEvent(event);
    fitHeight();
}

void LessonText::changeEvent(QEvent* event) {
    QTextBrowser::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && !m_markdown.isEmpty()) setLesson(m_markdown);
}

void LessonText::askBeforeOpening(const QUrl& url) {
    if (url.scheme() != QStringLiteral("http") && url.scheme() != QStringLiteral("https")) return;
    auto* question = new QMessageBox(window());
    question->setAttribute(Qt::WA_DeleteOnClose);
    question->setTextFormat(Qt::PlainText);
    question->setWindowTitle(tr("Open a page"));
    question->setText(
        tr("Open this address in your browser?\n\n%1").arg(url.toString(QUrl::FullyEncoded)));
    question->setStandardButtons(QMessageBox::Open | QMessageBox::Cancel);
    question->setDefaultButton(QMessageBox::Cancel);
    connect(question, &QMessageBox::finished, this, [url](int answer) {
        if (answer == QMessageBox::Open) QDesktopServices::openUrl(url);
    });
    question->open();
}

CodeBlock::CodeBlock(QWidget* parent)
    : QFrame(parent),
      m_code(makeLabel({}, Fonts::code(12))),
      m_copy(makeButton(tr("Copy"), "quiet")) {
    setProperty("kind", QStringLiteral("note"));
    m_code->setWordWrap(true);
    m_code->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_code->setAlignment(Qt::AlignLeft | Qt::AlignTop);
    m_copy->setFont(Fonts::text(12));
    m_copy->setAccessibleName(tr("Copy the code"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(11, 9, 6, 5);
    layout->setSpacing(2);
    layout->addWidget(m_code);
    layout->addWidget(m_copy, 0, Qt::AlignRight);
    connect(m_copy, &QPushButton::clicked, this, [this] {
        QGuiApplication::clipboard()->setText(m_code->text());
        m_copy->setText(tr("Copied"));
        QTimer::singleShot(1500, m_copy, [this] { m_copy->setText(tr("Copy")); });
    });
}

void CodeBlock::setCode(const QString& code) { m_code->setText(code); }
QString CodeBlock::code() const { return m_code->text(); }

Banner::Banner(QWidget* parent)
    : QFrame(parent),
      m_title(makeLabel({}, Fonts::text(13, QFont::DemiBold), "worse")),
      m_message(makeParagraph({}, Fonts::text(13))) {
    setProperty("kind", QStringLiteral("problem"));
    auto* close = makeButton(tr("Close"), "quiet");
    close->setAccessibleName(tr("Close the message"));
    m_message->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto* words = new QVBoxLayout;
    words->setSpacing(3);
    words->addWidget(m_title);
    words->addWidget(m_message);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(14, 10, 8, 10);
    layout->addLayout(words, 1);
    layout->addWidget(close, 0, Qt::AlignTop);
    connect(close, &QPushButton::clicked, this, &QWidget::hide);
    hide();
}

void Banner::say(const QString& title, const QString& message) {
    m_title->setText(title);
    m_message->setText(message);
    setAccessibleName(title);
    setAccessibleDescription(message);
    show();
}

QString Banner::message() const { return m_message->text(); }

FlowLayout::FlowLayout(QWidget* parent, int spacing) : QLayout(parent) {
    setContentsMargins(0, 0, 0, 0);
    setSpacing(spacing);
}

FlowLayout::~FlowLayout() {
    for (QLayoutItem* item : m_items) delete item;
}

QLayoutItem* FlowLayout::itemAt(int index) const {
    return index >= 0 && index < count() ? m_items[static_cast<std::size_t>(index)] : nullptr;
}

QLayoutItem* FlowLayout::takeAt(int index) {
    QLayoutItem* item = itemAt(index);
    if (item != nullptr) m_items.erase(m_items.begin() + index);
    return item;
}

int FlowLayout::heightForWidth(int width) const { return place(QRect(0, 0, width, 0), false); }

QSize FlowLayout::minimumSize() const {
    QSize size;
    for (const QLayoutItem* item : m_items) size = size.expandedTo(item->minimumSize());
    return size;
}

void FlowLayout::setGeometry(const QRect& rect) {
    QLayout::setGeometry(rect);
    place(rect, true);
}

int FlowLayout::place(const QRect& rect, bool move) const {
    int x = rect.x();
    int y = rect.y();
    int line = 0;
    for (QLayoutItem* item : m_items) {
        const QSize size = item->sizeHint();
        if (x > rect.x() && x + size.width() > rect.right() + 1) {
            x = rect.x();
            y += line + spacing();
            line = 0;
        }
        if (move) item->setGeometry(QRect(QPoint(x, y), size));
        x += size.width() + spacing();
        line = std::max(line, size.height());
    }
    return y + line - rect.y();
}

}  // namespace lab::app
