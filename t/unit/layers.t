use v5.36;
use warnings FATAL => 'all';

use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Test::More;

my $check = 't/lib/layers.pl';

is system($^X, $check, '.'), 0, 'the tree keeps its layers';

# Each planted fault must be found, with its place.
my @planted = (
    ['lib/base/str.c',           '#include "order/order.h"',            qr{lib/base/str\.c:1: includes}],
    ['lib/call/call.c',          '#include "api.h"',                    qr{lib/call/call\.c:1: includes}],
    ['lib/order/order_store.c',  'ngx_str_t name;',                     qr{names the server}],
    ['lib/order/order_rules.c',  '    cp_db_exec(db, sql, "");',        qr{input or output in a file of rules}],
    ['lib/order/order_rules.c',  'const char *sql = "SELECT 1";',       qr{SQL in a file of rules}],
    ['lib/order/order_rules.c',  '#include "redis/redis.h"',            qr{an include of input or output}],
);

for my $case (@planted) {
    my ($path, $text, $expected) = @$case;
    my $dir = tempdir(CLEANUP => 1);

    for my $name ('lib/order/order.h', 'lib/redis/redis.h', 'lib/api.h', $path) {
        make_path("$dir/" . ($name =~ s{/[^/]+$}{}r));
        open my $out, '>', "$dir/$name" or die $!;
        print {$out} "$text\n" if $name eq $path;
    }

    my $out = qx($^X $check $dir);
    isnt $?, 0, "refused: $text";
    like $out, $expected, '  and named';
}

done_testing;
