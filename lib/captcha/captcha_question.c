#include "captcha/captcha_question.h"

#include "base/random.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

typedef enum {
    PLUS,
    MINUS,
    TIMES
} sum_t;

/* What stands before, between and behind the two numbers; `swapped`: the second number is named first. */
typedef struct {
    sum_t       sum;
    bool        swapped;
    const char *zh[3];
    const char *en[3];
} form_t;

static const form_t forms[] = {
    { PLUS,  false, { "", "加", "等于多少？" },               { "What is ", " plus ", "?" } },
    { PLUS,  false, { "", "与", "的和是几？" },               { "What is the sum of ", " and ", "?" } },
    { PLUS,  false, { "比", "多", "的数是多少？" },           { "Which number is ", " more than ", "?" } },
    { PLUS,  false, { "盒里有", "支笔，又放进", "支，现在有几支？" },
      { "A box holds ", " pens and gets ", " more: how many are in it?" } },
    { MINUS, false, { "", "减去", "是多少？" },               { "What is ", " minus ", "?" } },
    { MINUS, true,  { "拿走", "个，原有", "个，还剩几个？" }, { "What is left when ", " are taken away from ", "?" } },
    { MINUS, false, { "", "比", "大多少？" },                 { "By how much is ", " greater than ", "?" } },
    { TIMES, false, { "", "乘以", "得多少？" },               { "What is ", " times ", "?" } },
    { TIMES, false, { "每排", "把椅子，共", "排，一共几把椅子？" },
      { "How many chairs are ", " chairs in each of ", " rows?" } },
};

static const char *const zh_digits[] = { "零", "一", "二", "三", "四", "五", "六", "七", "八", "九" };

static const char *const en_low[] = {
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
};

static const char *const en_tens[] = { "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety" };


/* From `low` to `high`; that some of the few values are a little likelier does not matter here. */
static unsigned
some(unsigned low, unsigned high)
{
    uint32_t n;

    cp_random(&n, sizeof(n));

    return low + n % (high - low + 1);
}


static cp_str_t
in_words(cp_arena_t *arena, cp_lang_t lang, unsigned n)
{
    const char *ones = n % 10 == 0 ? "" : zh_digits[n % 10];

    if (lang == CP_LANG_ZH) {
        return n < 10 ? cp_str_dup(arena, cp_str(zh_digits[n]))
                      : cp_str_printf(arena, "%s十%s", n < 20 ? "" : zh_digits[n / 10], ones);
    }
    if (n < COUNT(en_low)) {
        return cp_str_dup(arena, cp_str(en_low[n]));
    }

    return cp_str_printf(arena, "%s%s%s", en_tens[n / 10 - 2], n % 10 == 0 ? "" : "-",
                         n % 10 == 0 ? "" : en_low[n % 10]);
}


/* Two numbers for it, and what comes out. */
static unsigned
make(sum_t sum, unsigned *a, unsigned *b)
{
    switch (sum) {
    case PLUS:
        *a = some(3, 59);
        *b = some(3, 39);
        return *a + *b;
    case MINUS:
        *a = some(21, 89);
        *b = some(3, 19);
        return *a - *b;
    default:
        *a = some(2, 9);
        *b = some(2, 9);
        return *a * *b;
    }
}


cp_code_t
cp_captcha_question(cp_arena_t *arena, cp_lang_t lang, cp_str_t *question, cp_str_t *answer)
{
    const form_t      *form = &forms[some(0, COUNT(forms) - 1)];
    const char *const *said = lang == CP_LANG_EN ? form->en : form->zh;
    unsigned           a, b, result = make(form->sum, &a, &b);
    cp_str_t           first = in_words(arena, lang, form->swapped ? b : a);
    cp_str_t           second = in_words(arena, lang, form->swapped ? a : b);

    if (first.data == NULL || second.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    *question = cp_str_printf(arena, "%s%s%s%s%s", said[0], first.data, said[1], second.data, said[2]);
    *answer = cp_str_printf(arena, "%u", result);

    return question->data == NULL || answer->data == NULL ? CP_E_NO_MEMORY : CP_OK;
}
