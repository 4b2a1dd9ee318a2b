use v5.36;
use warnings FATAL => 'all';

# The walkers under libFuzzer with AddressSanitizer and UBSan for a minute in all, one of them for seconds under AFL++.
# CAPORTAL_FUZZ_SECONDS: of each walker.

use Caportal::Fuzz;
use File::Temp qw(tempdir);
use Test::More;

plan skip_all => 'the fuzzers are a build of their own' if $ENV{CAPORTAL_BUILD};

my $fuzz = Caportal::Fuzz->new(home => tempdir(CLEANUP => 1));

for my $result ($fuzz->run($ENV{CAPORTAL_FUZZ_SECONDS} // 12, 2, Caportal::Fuzz::WALKERS)) {
    ok $result->{good}, "$result->{name}: $result->{runs} inputs" or diag $result->{log};
    diag "what breaks it: $_" for @{ $result->{crashes} };
    note "$result->{rate} a second, $result->{found} reached something new";
}

my $afl = $fuzz->afl('walk-jpeg', 3);
ok $afl->{good}, "walk-jpeg, AFL++: $afl->{runs} inputs" or diag $afl->{log};
diag "what breaks it: $_" for @{ $afl->{crashes} };

done_testing;
