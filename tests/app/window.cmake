# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the window with a stand-in engine: bridge, lesson, pages.
find_package(Qt6 6.4 REQUIRED COMPONENTS Test)

add_executable(test_window
  bridge_test.cpp
  cache_test.cpp
  gui_main.cpp
  lesson_test.cpp
  query_test.cpp
  settings_test.cpp
  window_support.cpp
  window_test.cpp)
target_include_directories(test_window PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(test_window PRIVATE lab_app lab_flags GTest::gmock GTest::gtest Qt6::Test)
add_test(NAME test_window COMMAND test_window --gtest_brief=1)
set_tests_properties(test_window PROPERTIES TIMEOUT 120 ENVIRONMENT "QT_QPA_PLATFORM=offscreen")
