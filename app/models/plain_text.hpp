// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <string>

namespace lab::app {

/// Text from a file, fit to be shown as it stands: no control or bidirectional marks, at most 8
/// combining marks in a row, at most `most` characters (an ellipsis says that more was there). Line
/// ends are kept where `lines`, else they become spaces. It is still no markup: show it as
/// Qt::PlainText.
[[nodiscard]] QString plainText(const std::string& text, int most = 200, bool lines = false);

/// The same, escaped, for the places where Qt guesses markup and cannot be told otherwise (tool
/// tips).
[[nodiscard]] QString toolTipText(const QString& text);

/// A measured number as a person reads it: "3.9", "78", "0.05": two or three digits that mean
/// something.
[[nodiscard]] QString showNumber(double value);

}  // namespace lab::app
