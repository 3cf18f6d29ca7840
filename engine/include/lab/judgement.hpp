// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/frame.hpp"
#include "lab/scenario.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace lab {

/// The verdict on a stored prediction.
struct Judgement {
    enum class Verdict : std::uint8_t { right, wrong, too_close, cannot_judge };
    Verdict verdict = Verdict::cannot_judge;
    int right_option = -1;  ///< index, or -1
    double measured = 0;
    double uncertainty = 0;  ///< half width of the interval around `measured`
    std::string why;         ///< for cannot_judge and too_close: a sentence
};

/// Which option the runs show to be right, and whether it was the chosen one.
///
/// The interval is the measured value with an uncertainty from the counts behind it; one that spans
/// two options is too close to call. Each quantity in the expression scatters by a share 2/sqrt(n)
/// of itself (a mean or a percentile by more where its samples show it), the effects on the
/// expression add up in squares, and the whole is at least 1 %. A run in which the generator was
/// the limit, or that was interrupted, cannot be judged; `measured` is still told. Threads: any.
[[nodiscard]] Judgement judge(const LessonStep& predict, int chosen,
                              const std::map<std::string, RunResultPtr>& variants);

/// The prediction beside what was measured, in one sentence: "You expected \"twice as many\".
/// Measured: 3.9 times, so it is \"four times as many\"." Without a choice (-1) only what was
///           measured. Threads: any.
[[nodiscard]] std::string judgement_sentence(const LessonStep& predict, int chosen,
                                             const Judgement&);

/// A number as a person reads it: three significant digits, no exponent: "0.015", "3.92", "78.4",
/// "1,204".
[[nodiscard]] std::string show_number(double value);

/// Lesson text with its placeholders filled in, each once: "{A.throughput}" becomes "19.6/s",
/// "{B.p99}" "51.2 ms"; a dash where there are no samples. Unknown ones stay as they are. Threads:
/// any.
[[nodiscard]] std::string fill_placeholders(std::string_view text,
                                            const std::map<std::string, RunResultPtr>& variants);

}  // namespace lab
