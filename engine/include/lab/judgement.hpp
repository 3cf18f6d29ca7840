// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab/frame.hpp"
#include "lab/scenario.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace lab {

/// The verdict on a stored prediction.
struct Judgement {
    enum class Verdict : std::uint8_t { right, wrong, too_close, cannot_judge };
    Verdict verdict = Verdict::cannot_judge;
    int right_option = -1;          ///< index, or -1
    double measured = 0;
    double uncertainty = 0;         ///< half width of the interval around `measured`
    std::string why;                ///< for cannot_judge and too_close: a sentence
};

/// Which option the runs show to be right, and whether it was the chosen one.
///
/// The interval is the measured value with an uncertainty from the counts behind it (a share 2/sqrt(n), at
/// least 1 %); one that spans two options is too close to call. A run in which the generator was the
/// limit, or that was interrupted, cannot be judged. Threads: any.
[[nodiscard]] Judgement judge(const LessonStep& predict, int chosen,
                              const std::map<std::string, RunResultPtr>& variants);

}  // namespace lab
