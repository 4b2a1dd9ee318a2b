use v5.36;
use warnings FATAL => 'all';

# Each benchmark runs, for a second, and ends with lines of its form. How fast it was is nobody's business here.

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Test::More;

use constant LINE => qr/\A\w+ metric=\w+ value=[\d.]+ unit=\S+ baseline=[\d.]+ ratio=[\d.]+ target=\S+\n\z/;

plan skip_all => 'figures of another build say nothing' if $ENV{CAPORTAL_BUILD} || $ENV{CAPORTAL_NGINX};

my $folder = dirname(abs_path(__FILE__));
$ENV{CAPORTAL_BENCH_SECONDS} = 1;

for my $name (qw(session sessions sms_sign_in password certificate_sign_in order_create issue inspect upload
    upload_slow))
{
    my @lines = qx('$folder/$name' 1 2>&1);
    my $status = $?;
    my @figures = grep {/ metric=/} @lines;
    my @wrong   = grep { $_ !~ LINE } @figures;

    ok $status == 0 && @figures && !@wrong, "$name: " . @figures . ' figures' or diag @lines;
}

done_testing;
