# SPDX-License-Identifier: GPL-3.0-or-later
# The window: a library `lab_app` with everything but main, so that tests link it, and the program.
# Headers of the app are included from app/: "widgets/theme.hpp", "charts/charts_panel.hpp".
find_package(Qt6 6.4 REQUIRED COMPONENTS Core Gui Widgets Svg Charts)

# The charts have their own list: sets lab_charts_sources.
include(charts/sources.cmake OPTIONAL)

list(TRANSFORM lab_charts_sources PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
add_library(lab_app STATIC
  bridge/experiment_bridge.cpp
  bridge/live_runner.cpp
  bridge/preferences.cpp
  bridge/storage.cpp
  models/gallery.cpp
  models/knob.cpp
  models/lesson.cpp
  models/lesson_controller.cpp
  models/plain_text.cpp
  models/run_controller.cpp
  widgets/theme.cpp
  ${lab_charts_sources})
set_target_properties(lab_app PROPERTIES AUTOMOC ON AUTORCC ON)
target_include_directories(lab_app PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_compile_definitions(lab_app PUBLIC QT_DISABLE_DEPRECATED_BEFORE=0x060400)
target_link_libraries(lab_app PUBLIC lab::engine Qt6::Widgets Qt6::Charts Qt6::Svg
                              PRIVATE lab_flags)
