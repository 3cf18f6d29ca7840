// SPDX-License-Identifier: GPL-3.0-or-later
#include "row.hpp"

namespace lab::http_rows {

using namespace std::string_literals;

namespace {

Row good(std::string name, const std::string& body, const char* clause = "9112 7.1") {
    return {std::move(name), clause, chunked(body), {200}, After::open};
}

Row bad(std::string name, const std::string& body, int status = 400,
        const char* clause = "9112 7.1") {
    return {std::move(name), clause, chunked(body), {status}};
}

}  // namespace

std::vector<Row> chunk_rows() {
    Row by_octets = good("ChunksOctetByOctet", "5;a=b\r\nhello\r\n0\r\nA: b\r\n\r\n");
    by_octets.step = 1;
    Row empty_by_octets = good("EmptyBodyOctetByOctet", "0\r\n\r\n");
    empty_by_octets.step = 1;
    Row cut = bad("ChunksCutOff", "5\r\nhel", 400, "9112 8");
    cut.half_close = true;
    Row no_end = bad("ChunksWithoutTheLast", "5\r\nhello\r\n", 400, "9112 8");
    no_end.half_close = true;
    const std::string large(60'000, 'x');
    return {
        good("NoChunks", "0\r\n\r\n"),
        good("OneChunk", "5\r\nhello\r\n0\r\n\r\n"),
        good("TwoChunks", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"),
        good("ChunkSizeInUpperCase", "A\r\n0123456789\r\n0\r\n\r\n"),
        good("ChunkSizeInLowerCase", "a\r\n0123456789\r\n0\r\n\r\n"),
        good("ChunkSizeWithLeadingZeros", "0005\r\nhello\r\n0000\r\n\r\n"),
        good("ChunkThatHoldsAnEnd", "7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n"),
        good("LargeChunk", "ea60\r\n" + large + "\r\n0\r\n\r\n"),
        by_octets,
        empty_by_octets,
        good("ExtensionWithoutAValue", "5;a\r\nhello\r\n0\r\n\r\n", "9112 7.1.1"),
        good("ExtensionWithAValue", "5;a=b\r\nhello\r\n0;c=d\r\n\r\n", "9112 7.1.1"),
        good("ExtensionInQuotes", "5;a=\"b;c\\\"\"\r\nhello\r\n0\r\n\r\n", "9112 7.1.1"),
        good("ExtensionWithBlanks", "5 ; a\r\nhello\r\n0\r\n\r\n", "9112 7.1.1"),
        good("TrailerIsDropped", "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n", "9112 7.1.2"),
        good("TrailerCannotNameAUser", "5\r\nhello\r\n0\r\nCookie: user=9\r\n\r\n", "9110 6.5.1"),
        good("ThirtyTwoTrailers", "0\r\n" + times(32, "A: b\r\n") + "\r\n", "SAFETY 2"),
        bad("ChunkSizeMissing", "\r\nhello\r\n0\r\n\r\n"),
        bad("ChunkSizeOfAWord", "five\r\nhello\r\n0\r\n\r\n"),
        bad("ChunkSizeWithAPrefix", "0x5\r\nhello\r\n0\r\n\r\n"),
        bad("ChunkSizeNegative", "-5\r\nhello\r\n0\r\n\r\n"),
        bad("ChunkSizeWithAPlus", "+5\r\nhello\r\n0\r\n\r\n"),
        bad("ChunkSizeWithAnUnderscore", "0_5\r\nhello\r\n0\r\n\r\n"),
        bad("ChunkSizeWithASpaceBefore", " 5\r\nhello\r\n0\r\n\r\n"),
        bad("ChunkSizeWithASpaceAfter", "5 \r\nhello\r\n0\r\n\r\n"),
        bad("ChunkSizeThatOverflows", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
        bad("ChunkSizeOf64Bits", "ffffffffffffffff\r\nhello\r\n0\r\n\r\n", 413, "9110 15.5.14"),
        bad("ChunkBeyondTheLimit", "186a1\r\n", 413, "9110 15.5.14"),
        bad("ChunksBeyondTheLimit", "ea60\r\n" + large + "\r\nea60\r\n", 413, "9110 15.5.14"),
        bad("ChunkSizeEndsInALineFeed", "5\nhello\r\n0\r\n\r\n"),
        bad("ChunkSizeEndsInACarriageReturn", "5\rhello\r\n0\r\n\r\n"),
        bad("ChunkDataTooLong", "5\r\nhello!\r\n0\r\n\r\n"),
        bad("ChunkDataTooShort", "6\r\nhello\r\n0\r\n\r\n"),
        bad("ChunkDataEndsInALineFeed", "5\r\nhello\n0\r\n\r\n"),
        bad("ChunkDataWithoutAnEnd", "5\r\nhello0\r\n\r\n"),
        bad("ExtensionWithoutAName", "5;\r\nhello\r\n0\r\n\r\n", 400, "9112 7.1.1"),
        bad("ExtensionWithABareLineFeed", "5;a\nb\r\nhello\r\n0\r\n\r\n", 400, "9112 7.1.1"),
        bad("ExtensionWithABareCarriageReturn", "5;a\rb\r\nhello\r\n0\r\n\r\n", 400, "9112 7.1.1"),
        bad("ExtensionWithNul", "5;a\0b\r\nhello\r\n0\r\n\r\n"s, 400, "9112 7.1.1"),
        bad("ExtensionThatIsTooLong", "5;" + std::string(5'000, 'a') + "\r\nhello\r\n0\r\n\r\n",
            400, "9112 7.1.1"),
        bad("ExtensionsTooLongTogether",
            times(50, "1;" + std::string(100, 'a') + "\r\nx\r\n") + "0\r\n\r\n", 400, "9112 7.1.1"),
        bad("ThirtyThreeTrailers", "0\r\n" + times(33, "A: b\r\n") + "\r\n", 431, "SAFETY 2"),
        bad("TrailersThatAreTooLong", "0\r\nA: " + std::string(17'000, 'b') + "\r\n\r\n", 431,
            "SAFETY 2"),
        bad("TrailerThatGivesALength", "0\r\nContent-Length: 5\r\n\r\n", 400, "9110 6.5.1"),
        bad("TrailerThatNamesAHost", "0\r\nHost: localhost\r\n\r\n", 400, "9110 6.5.1"),
        bad("TrailerFolded", "0\r\nA: b\r\n c\r\n\r\n", 400, "9112 5.2"),
        bad("TrailerWithASpaceBeforeTheColon", "0\r\nA : b\r\n\r\n", 400, "9112 5.1"),
        bad("TrailerWithNul", "0\r\nA: b\0\r\n\r\n"s, 400, "9110 5.5"),
        bad("TrailerEndsInALineFeed", "0\r\nA: b\n\r\n", 400, "9112 2.2"),
        bad("LastChunkEndsInALineFeed", "0\n\r\n", 400, "9112 2.2"),
        cut,
        no_end,
    };
}

}  // namespace lab::http_rows
