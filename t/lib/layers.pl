#!/usr/bin/perl
# Checks the direction of dependencies: an include may point at the same layer or below, lib/ knows nothing of the
# server, and *_rules.c does no input or output. Prints each fault as file:line and exits with 1.
use v5.36;
use warnings FATAL => 'all';

my $root = shift // '.';

my %rank = (
    base => 0, walk => 0, multipart => 0,
    db => 1, redis => 1, egress => 1, catalog => 1, inspect => 1, gate => 1, store => 1,
    call => 2,
);
my ($feature, $api, $program) = (3, 4, 5);

# The layer of a folder of lib/, of lib/ itself, or of a program.
sub rank_of ($path) {
    return $program if $path !~ m{^lib/};
    return $api     if $path =~ m{^lib/[^/]+$};
    my ($folder) = $path =~ m{^lib/([^/]+)/};
    return $rank{$folder} // $feature;
}

my @forbidden_in_rules = (
    [qr/\bcp_(?:db|redis|egress)_?\w*\s*\(/                  => 'input or output'],
    [qr/"(?:db|redis|egress)\/\w+\.h"/                       => 'an include of input or output'],
    [qr/"(?:SELECT|INSERT|UPDATE|DELETE|REPLACE)\s/          => 'SQL'],
);

sub check_line ($path, $line) {
    my @faults;

    if ($line =~ /^\s*#\s*include\s+"([^"]+)"/) {
        my $target = -e "$root/lib/$1" ? "lib/$1" : undef;
        push @faults, "includes $1 from a lower layer" if $target && rank_of($target) > rank_of($path);
    }
    return @faults if $path !~ m{^lib/};

    push @faults, 'names the server (ngx_)' if $line =~ /\bngx_/;

    if ($path =~ /_rules\.c$/) {
        for my $rule (@forbidden_in_rules) {
            push @faults, "has $rule->[1] in a file of rules" if $line =~ $rule->[0];
        }
    }
    return @faults;
}

my $faults = 0;

for my $file (sort glob("$root/lib/*.[ch] $root/lib/*/*.[ch] $root/{ngx_caportal_module,signer,ctl,inspector}/*.[ch]")) {
    my $path = substr $file, length("$root/");
    open my $in, '<', $file or die "$file: $!\n";
    while (my $line = <$in>) {
        for my $fault (check_line($path, $line)) {
            say "$path:$.: $fault";
            $faults++;
        }
    }
}

exit($faults ? 1 : 0);
