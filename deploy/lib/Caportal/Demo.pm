package Caportal::Demo;

# One demonstration order, each step printed with what came back.

use v5.36;
use Caportal::Journey;
use Time::HiRes qw(time);

# addresses: as Caportal::Stack gives them; folder: where the order's key and certificate stay.
sub run ($class, %given) {
    my $journey = Caportal::Journey->new(%given);
    my $begin   = time;
    my $number  = 0;

    for my $step (Caportal::Journey->steps) {
        my ($name, $title) = @$step;
        next if !$journey->has($step);
        my $said = eval { $journey->step($name) };
        if (!defined $said) {
            printf "%3d. %s\n     FAILED: %s\n", ++$number, $title, $@;
            return 0;
        }
        printf "%3d. %-56s %s\n", ++$number, $title, $said;
    }

    printf "\nOrder %s went from sign-in to a certificate sign-in in %.1f seconds.\n", $journey->no, time - $begin;
    return 1;
}

1;
