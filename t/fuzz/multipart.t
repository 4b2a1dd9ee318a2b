use v5.36;
use warnings FATAL => 'all';

# The readers of forms, alone and before the walkers, under libFuzzer with AddressSanitizer and UBSan.
# CAPORTAL_FUZZ_SECONDS: of each.

use Caportal::Fuzz;
use File::Temp qw(tempdir);
use Test::More;

plan skip_all => 'the fuzzers are a build of their own' if $ENV{CAPORTAL_BUILD};

my $fuzz = Caportal::Fuzz->new(home => tempdir(CLEANUP => 1));

for my $result ($fuzz->run($ENV{CAPORTAL_FUZZ_SECONDS} // 10, 2, qw(multipart gate-form))) {
    ok $result->{good}, "$result->{name}: $result->{runs} inputs" or diag $result->{log};
    diag "what breaks it: $_" for @{ $result->{crashes} };
    note "$result->{rate} a second, $result->{found} reached something new";
}

done_testing;
