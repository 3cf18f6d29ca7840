# SPDX-License-Identifier: GPL-3.0-or-later
# What is drawn: history, charts, figures and the pipeline. Paths from app/.
set(lab_charts_sources
  charts/charts_panel.cpp
  charts/line_charts.cpp
  charts/line_layer.cpp
  models/run_history.cpp
  widgets/chart_table.cpp
  widgets/figure_card.cpp
  widgets/figures_row.cpp
  widgets/heat_map.cpp
  widgets/pipeline_backends.cpp
  widgets/pipeline_paint.cpp
  widgets/pipeline_scene.cpp
  widgets/pipeline_view.cpp
  widgets/plot_axis.cpp
  widgets/plot_card.cpp
  widgets/plot_paint.cpp
  widgets/stacked_area.cpp)
