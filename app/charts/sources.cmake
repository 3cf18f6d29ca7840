# SPDX-License-Identifier: GPL-3.0-or-later
# What is drawn: history, charts, figures and the pipeline. Paths from app/.
set(lab_charts_sources)
