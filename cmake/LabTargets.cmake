# SPDX-License-Identifier: GPL-3.0-or-later
# How every target of the project is made: flags in one place, one function a kind of target.

find_package(Threads REQUIRED)

add_library(lab_flags INTERFACE)
target_compile_features(lab_flags INTERFACE cxx_std_20)
target_compile_options(lab_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wold-style-cast -ffp-contract=off)
target_compile_definitions(lab_flags INTERFACE _GLIBCXX_ASSERTIONS)
target_link_libraries(lab_flags INTERFACE Threads::Threads)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(lab_flags INTERFACE -Wno-restrict)  # false on std::string, GCC bug 105651
endif()
if(LAB_WARNINGS_AS_ERRORS)
  target_compile_options(lab_flags INTERFACE -Werror)
endif()
if(LAB_SANITIZE)
  target_compile_options(lab_flags INTERFACE -fsanitize=${LAB_SANITIZE} -fno-sanitize-recover=all
                                             -fno-omit-frame-pointer)
  target_link_options(lab_flags INTERFACE -fsanitize=${LAB_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(lab_flags INTERFACE -Wno-maybe-uninitialized)  # false on variants here
  endif()
  if(LAB_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(lab_flags INTERFACE -Wno-tsan)  # Asio's fences
  endif()
endif()

# lab_room(<name> SOURCES ... ROOMS ... LIBRARIES ...): one room of the engine, a static library
# `lab_<name>`. ROOMS are the only other rooms whose headers it may include.
function(lab_room name)
  cmake_parse_arguments(arg "" "" "SOURCES;ROOMS;LIBRARIES" ${ARGN})
  add_library(lab_${name} STATIC ${arg_SOURCES})
  target_include_directories(lab_${name} PUBLIC ${PROJECT_SOURCE_DIR}/engine/include
                                         PRIVATE ${PROJECT_SOURCE_DIR}/engine/src)
  list(TRANSFORM arg_ROOMS PREPEND lab_)
  target_link_libraries(lab_${name} PUBLIC ${arg_ROOMS} Boost::headers
                                    PRIVATE lab_flags ${arg_LIBRARIES})
endfunction()

# lab_test(<name> SOURCES ... LINK ...): a GoogleTest program that may look inside the rooms it links.
# TIMEOUT is seconds (60).
function(lab_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LINK" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  if(LAB_SANITIZE)
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 6")  # thread sanitizer alone costs five times
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/engine/src ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE LAB_SOURCE_FOLDER="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${arg_LINK} lab_flags GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT})
endfunction()
