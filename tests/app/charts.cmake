# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what is drawn: history, charts, figures, pipeline.
find_package(Qt6 6.4 REQUIRED COMPONENTS Test)

add_executable(test_charts
  charts_test.cpp
  figures_test.cpp
  gui_main.cpp
  history_test.cpp
  pipeline_test.cpp)
target_include_directories(test_charts PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(test_charts PRIVATE lab_app lab_flags GTest::gmock GTest::gtest Qt6::Test)
add_test(NAME test_charts COMMAND test_charts --gtest_brief=1)
set_tests_properties(test_charts PROPERTIES TIMEOUT 60)
