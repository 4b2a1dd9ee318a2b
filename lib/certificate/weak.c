/* RSA moduli that anybody can factor. */
#include "key.h"

#define TRIAL_LIMIT  2048


bool
cp_modulus_has_small_factor(const BIGNUM *n)
{
    BN_ULONG divisor;

    if (!BN_is_odd(n)) {
        return true;
    }

    /* Composite divisors find nothing new and cost little. */
    for (divisor = 3; divisor < TRIAL_LIMIT; divisor += 2) {
        if (BN_mod_word(n, divisor) == 0) {
            return true;
        }
    }

    return false;
}


/* Whether `residue` is a power of 65537 modulo the prime. */
static bool
is_power(BN_ULONG residue, BN_ULONG prime)
{
    BN_ULONG value = 1;

    do {
        if (value == residue) {
            return true;
        }
        value = value * 65537 % prime;
    } while (value != 1);

    return false;
}


/*
 * Primes of the vulnerable library are k * M + (65537^a mod M), M a product of small primes, and so is the modulus:
 * modulo each of those primes it is a power of 65537 (Nemec et al., CCS 2017, section 2). Of other moduli one in 2^27
 * passes for such.
 */
bool
cp_modulus_is_roca(const BIGNUM *n)
{
    static const unsigned char primes[] = {
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107,
        109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167
    };
    size_t i;

    for (i = 0; i < sizeof(primes); i++) {
        if (!is_power(BN_mod_word(n, primes[i]), primes[i])) {
            return false;
        }
    }

    return true;
}


/* root = floor(sqrt(n)) by Newton's method from above. */
static bool
square_root(BIGNUM *root, const BIGNUM *n, BN_CTX *ctx)
{
    BIGNUM *next;
    bool    done = false;

    BN_zero(root);
    if (BN_is_zero(n)) {
        return true;
    }

    BN_CTX_start(ctx);
    next = BN_CTX_get(ctx);

    if (next == NULL || !BN_set_bit(root, (BN_num_bits(n) + 1) / 2)) {
        goto out;
    }

    for ( ;; ) {
        if (!BN_div(next, NULL, n, root, ctx) || !BN_add(next, next, root) || !BN_rshift1(next, next)) {
            goto out;
        }
        if (BN_cmp(next, root) >= 0) {
            break;
        }
        if (BN_copy(root, next) == NULL) {
            goto out;
        }
    }
    done = true;

out:

    BN_CTX_end(ctx);

    return done;
}


/* Squares are 0, 1, 4 or 9 modulo 16 and few modulo 4095: nearly every other number is told without a root. */
static bool
may_be_square(const BIGNUM *n)
{
    BN_ULONG low = BN_mod_word(n, 16), residue = BN_mod_word(n, 4095), i;

    if (low != 0 && low != 1 && low != 4 && low != 9) {
        return false;
    }
    for (i = 0; i <= 4095 / 2; i++) {
        if (i * i % 4095 == residue) {
            return true;
        }
    }

    return false;
}


static bool
is_square(const BIGNUM *n, BIGNUM *root, BIGNUM *square, BN_CTX *ctx)
{
    return may_be_square(n) && square_root(root, n, ctx) && BN_sqr(square, root, ctx) && BN_cmp(square, n) == 0;
}


/* Fermat: n = a^2 - b^2; a begins at the root of n and meets close primes at once. */
bool
cp_modulus_is_close(const BIGNUM *n, unsigned rounds)
{
    BN_CTX  *ctx;
    BIGNUM  *a, *rest, *root, *square;
    bool     close = true;
    unsigned i;

    ctx = BN_CTX_new();
    if (ctx == NULL) {
        return true;
    }

    BN_CTX_start(ctx);
    a = BN_CTX_get(ctx);
    rest = BN_CTX_get(ctx);
    root = BN_CTX_get(ctx);
    square = BN_CTX_get(ctx);

    /* Where memory is out, the key counts as weak. */
    if (square == NULL || !square_root(a, n, ctx)) {
        goto out;
    }

    for (i = 0; i <= rounds; i++) {
        if (!BN_sqr(rest, a, ctx) || !BN_sub(rest, rest, n)) {
            goto out;
        }
        if (!BN_is_negative(rest) && is_square(rest, root, square, ctx)) {
            goto out;
        }
        if (!BN_add_word(a, 1)) {
            goto out;
        }
    }
    close = false;

out:

    BN_CTX_end(ctx);
    BN_CTX_free(ctx);

    return close;
}
