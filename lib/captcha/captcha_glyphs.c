#include "captcha/captcha_glyphs.h"

const cp_glyph_t cp_glyphs[] = {
    { 'A', "M0cL40L8cM18L78" },
    { 'C', "M82Q7040Q0006Q0c4cQ7c8a" },
    { 'D', "M00L0cL4cQ8c87L85Q8040L00" },
    { 'E', "M80L00L0cL8cM06L66" },
    { 'F', "M80L00L0cM06L66" },
    { 'H', "M00L0cM80L8cM06L86" },
    { 'J', "M30L80M60L69Q6c3cQ0c09" },
    { 'K', "M00L0cM80L07M35L8c" },
    { 'M', "M0cL00L47L80L8c" },
    { 'N', "M0cL00L8cL80" },
    { 'P', "M0cL00L40Q8083Q8646L06" },
    { 'R', "M0cL00L40Q8083Q8646L06M46L8c" },
    { 'T', "M00L80M40L4c" },
    { 'U', "M00L07Q0c4cQ8c87L80" },
    { 'W', "M00L2cL44L6cL80" },
    { 'X', "M00L8cM80L0c" },
    { 'Y', "M00L46L80M46L4c" },
    { '3', "M02Q1040Q8083Q8636Q8689Q8c4cQ1c0a" },
    { '4', "M6cL60L08L88" },
    { '6', "M60Q0208Q0c4cQ8c88Q8545Q0508" },
    { '7', "M00L80L3c" },
    { '9', "M84Q8848Q0804Q0040Q8084Q8c3c" },
};

const size_t cp_glyph_count = sizeof(cp_glyphs) / sizeof(cp_glyphs[0]);
