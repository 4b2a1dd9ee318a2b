#include "captcha/captcha_draw.h"

#include <math.h>
#include <string.h>

#include <cairo.h>

#include "base/random.h"
#include "captcha/captcha_glyphs.h"

#define MARGIN     17.0
#define SIGN_SIZE  37.0                 /* pixels from top to bottom, before it is stretched */
#define UNIT       (SIGN_SIZE / CP_GLYPH_HEIGHT)
#define PIECES     6                    /* of a stroke: waves bend what is between its ends as well */
#define ACROSS     24                   /* pieces of a line across the picture */
#define LINES      2
#define SPECKS     45
#define PNG_FIRST  4096                 /* bytes, usually enough */

typedef struct {
    double  x;
    double  y;
} point_t;

/* A wave: how far it moves a point, how long it is, where it begins. */
typedef struct {
    double  height;
    double  length;
    double  phase;
} wave_t;

typedef struct {
    cairo_t  *cr;
    uint64_t  state;        /* of the generator of shapes; signs are drawn by the system's */
    wave_t    along;        /* moves x by y */
    wave_t    across;       /* moves y by x */
    wave_t    ripple;
    double    place[6];     /* of the present sign: the matrix from the grid to pixels */
} canvas_t;

typedef struct {
    cp_arena_t *arena;
    char       *data;
    size_t      len;
    size_t      size;
} output_t;


/* SplitMix64: from `low` to `high`. */
static double
between(canvas_t *canvas, double low, double high)
{
    uint64_t z = canvas->state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;

    return low + (high - low) * (double) (z >> 11) / 9007199254740992.0;
}


static wave_t
some_wave(canvas_t *canvas, double height, double shortest, double longest)
{
    return (wave_t) { between(canvas, height / 2, height), between(canvas, shortest, longest),
                      between(canvas, 0, 2 * M_PI) };
}


static double
move(const wave_t *wave, double at)
{
    return wave->height * sin(2 * M_PI * at / wave->length + wave->phase);
}


static point_t
bend(const canvas_t *canvas, point_t p)
{
    return (point_t) { p.x + move(&canvas->along, p.y) + move(&canvas->ripple, p.x + p.y),
                       p.y + move(&canvas->across, p.x) };
}


static point_t
placed(const canvas_t *canvas, point_t p)
{
    const double *m = canvas->place;

    return bend(canvas, (point_t) { m[0] * p.x + m[1] * p.y + m[2], m[3] * p.x + m[4] * p.y + m[5] });
}


/* Where the sign number `i` of `count` stands, and how. */
static void
place_sign(canvas_t *canvas, size_t i, size_t count)
{
    double cell = (CP_CAPTCHA_WIDTH - 2 * MARGIN) / (double) count;
    double turn = between(canvas, -0.33, 0.33), shear = between(canvas, -0.3, 0.3);
    double wide = UNIT * between(canvas, 0.85, 1.2), high = UNIT * between(canvas, 0.85, 1.15);
    double a = wide * cos(turn), b = high * (shear * cos(turn) - sin(turn));
    double c = wide * sin(turn), d = high * (shear * sin(turn) + cos(turn));
    double x = MARGIN + cell * ((double) i + 0.5) + between(canvas, -3, 3);
    double y = CP_CAPTCHA_HEIGHT / 2.0 + between(canvas, -5, 5);

    canvas->place[0] = a;
    canvas->place[1] = b;
    canvas->place[2] = x - (a * CP_GLYPH_WIDTH + b * CP_GLYPH_HEIGHT) / 2;
    canvas->place[3] = c;
    canvas->place[4] = d;
    canvas->place[5] = y - (c * CP_GLYPH_WIDTH + d * CP_GLYPH_HEIGHT) / 2;
}


/* From one point of the grid to another by a control point, in straight pieces. */
static void
draw_curve(canvas_t *canvas, point_t from, point_t by, point_t to)
{
    int i;

    for (i = 1; i <= PIECES; i++) {
        double  t = (double) i / PIECES, u = 1 - t;
        point_t p = placed(canvas, (point_t) { u * u * from.x + 2 * u * t * by.x + t * t * to.x,
                                               u * u * from.y + 2 * u * t * by.y + t * t * to.y });

        cairo_line_to(canvas->cr, p.x, p.y);
    }
}


static double
grid(char digit)
{
    return digit <= '9' ? digit - '0' : digit - 'a' + 10;
}


static void
draw_strokes(canvas_t *canvas, const char *s)
{
    point_t at = { 0, 0 }, p, start;

    while (*s != '\0') {
        char command = *s;

        p = (point_t) { grid(s[1]), grid(s[2]) };
        s += 3;

        if (command == 'M') {
            start = placed(canvas, p);
            cairo_move_to(canvas->cr, start.x, start.y);
        } else if (command == 'L') {
            draw_curve(canvas, at, (point_t) { (at.x + p.x) / 2, (at.y + p.y) / 2 }, p);
        } else {
            point_t to = { grid(s[0]), grid(s[1]) };

            draw_curve(canvas, at, p, to);
            p = to;
            s += 2;
        }
        at = p;
    }
}


static void
draw_sign(canvas_t *canvas, char sign)
{
    size_t i;

    for (i = 0; i < cp_glyph_count; i++) {
        if (cp_glyphs[i].sign == sign) {
            draw_strokes(canvas, cp_glyphs[i].strokes);
        }
    }

    cairo_set_line_width(canvas->cr, between(canvas, 2.8, 3.8));
    cairo_stroke(canvas->cr);
}


/* A line of the signs' own strength from edge to edge, which joins them. */
static void
draw_line(canvas_t *canvas)
{
    double y = between(canvas, 12, CP_CAPTCHA_HEIGHT - 12), slope = between(canvas, -0.16, 0.16);
    wave_t wave = some_wave(canvas, 11, 60, 160);
    int    i;

    for (i = 0; i <= ACROSS; i++) {
        double x = CP_CAPTCHA_WIDTH * (double) i / ACROSS;

        cairo_line_to(canvas->cr, x, y + slope * (x - CP_CAPTCHA_WIDTH / 2.0) + move(&wave, x));
    }

    cairo_set_line_width(canvas->cr, between(canvas, 1.2, 2.2));
    cairo_stroke(canvas->cr);
}


static void
draw_specks(canvas_t *canvas)
{
    int i;

    for (i = 0; i < SPECKS; i++) {
        double x = between(canvas, 0, CP_CAPTCHA_WIDTH), y = between(canvas, 0, CP_CAPTCHA_HEIGHT);

        cairo_move_to(canvas->cr, x, y);
        cairo_line_to(canvas->cr, x + between(canvas, -3, 3), y + between(canvas, -3, 3));
    }

    cairo_set_line_width(canvas->cr, 1.3);
    cairo_stroke(canvas->cr);
}


/* Ink is what is taken out of a white sheet: the surface holds only its transparency, which the file shows as grey. */
static void
draw(canvas_t *canvas, cp_str_t signs)
{
    cairo_t *cr = canvas->cr;
    size_t   i;

    cairo_paint(cr);
    cairo_set_operator(cr, CAIRO_OPERATOR_DEST_OUT);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);

    canvas->along = some_wave(canvas, 3, 40, 80);
    canvas->across = some_wave(canvas, 4, 60, 130);
    canvas->ripple = some_wave(canvas, 1.2, 16, 26);

    for (i = 0; i < signs.len; i++) {
        place_sign(canvas, i, signs.len);
        draw_sign(canvas, signs.data[i]);
    }
    for (i = 0; i < LINES; i++) {
        draw_line(canvas);
    }
    draw_specks(canvas);
}


static cairo_status_t
take(void *closure, const unsigned char *data, unsigned length)
{
    output_t *out = closure;
    char     *grown;

    if (out->size - out->len < length) {
        grown = cp_alloc(out->arena, 2 * out->size + length);
        if (grown == NULL) {
            return CAIRO_STATUS_WRITE_ERROR;
        }
        memcpy(grown, out->data, out->len);
        out->data = grown;
        out->size = 2 * out->size + length;
    }

    memcpy(out->data + out->len, data, length);
    out->len += length;

    return CAIRO_STATUS_SUCCESS;
}


cp_str_t
cp_captcha_signs(cp_arena_t *arena)
{
    unsigned char byte;
    cp_str_t      signs = { 0, cp_alloc(arena, CP_CAPTCHA_SIGNS + 1) };

    if (signs.data == NULL) {
        return CP_STR_NULL;
    }

    while (signs.len < CP_CAPTCHA_SIGNS) {
        cp_random(&byte, 1);
        if (byte < 256 / cp_glyph_count * cp_glyph_count) {
            signs.data[signs.len++] = cp_glyphs[byte % cp_glyph_count].sign;
        }
    }
    signs.data[signs.len] = '\0';

    return signs;
}


cp_code_t
cp_captcha_draw(cp_arena_t *arena, cp_str_t signs, cp_str_t *png)
{
    output_t         out = { arena, cp_alloc(arena, PNG_FIRST), 0, PNG_FIRST };
    canvas_t         canvas = { 0 };
    cairo_surface_t *surface;
    cairo_status_t   status;

    if (out.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    cp_random(&canvas.state, sizeof(canvas.state));

    /* What cannot be made is an object in a state of error, which every call passes on. */
    surface = cairo_image_surface_create(CAIRO_FORMAT_A8, CP_CAPTCHA_WIDTH, CP_CAPTCHA_HEIGHT);
    canvas.cr = cairo_create(surface);
    draw(&canvas, signs);

    status = cairo_status(canvas.cr);
    if (status == CAIRO_STATUS_SUCCESS) {
        status = cairo_surface_write_to_png_stream(surface, take, &out);
    }
    cairo_destroy(canvas.cr);
    cairo_surface_destroy(surface);

    *png = cp_str_n(out.data, out.len);
    return status == CAIRO_STATUS_SUCCESS ? CP_OK : CP_E_NO_MEMORY;
}
