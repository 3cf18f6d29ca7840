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
  bridge/sql_bridge.cpp
  bridge/storage.cpp
  models/gallery.cpp
  models/knob.cpp
  models/lesson.cpp
  models/lesson_controller.cpp
  models/plain_text.cpp
  models/run_controller.cpp
  models/settings_model.cpp
  pages/bench_page.cpp
  pages/gallery_page.cpp
  pages/main_window.cpp
  pages/present_page.cpp
  pages/query_dialog.cpp
  pages/screenshot_tour.cpp
  pages/settings_dialog.cpp
  pages/present_text.cpp
  pages/window_meter.cpp
  widgets/cache_dialog.cpp
  widgets/cards.cpp
  widgets/controls.cpp
  widgets/icons.cpp
  widgets/key_editor.cpp
  widgets/knob_panel.cpp
  widgets/lesson_panel.cpp
  widgets/nav_rail.cpp
  widgets/pieces.cpp
  widgets/server_block.cpp
  widgets/theme.cpp
  widgets/top_bar.cpp
  ${PROJECT_SOURCE_DIR}/resources/latency-lab.qrc
  ${lab_charts_sources})
set_target_properties(lab_app PROPERTIES AUTOMOC ON AUTORCC ON AUTOGEN_ORIGIN_DEPENDS OFF)
target_include_directories(lab_app PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_compile_definitions(lab_app PUBLIC QT_DISABLE_DEPRECATED_BEFORE=0x060400)
target_link_libraries(lab_app PUBLIC lab::engine Qt6::Widgets Qt6::Charts Qt6::Svg
                              PRIVATE lab_flags)

add_executable(latency-lab-window main.cpp)
target_link_libraries(latency-lab-window PRIVATE lab_app lab_flags)

install(TARGETS latency-lab-window DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${PROJECT_SOURCE_DIR}/resources/io.github.latency_lab.LatencyLab.desktop
        DESTINATION ${CMAKE_INSTALL_DATADIR}/applications)
install(FILES ${PROJECT_SOURCE_DIR}/resources/io.github.latency_lab.LatencyLab.metainfo.xml
        DESTINATION ${CMAKE_INSTALL_DATADIR}/metainfo)
install(FILES ${PROJECT_SOURCE_DIR}/resources/latency-lab.svg
        DESTINATION ${CMAKE_INSTALL_DATADIR}/icons/hicolor/scalable/apps)
