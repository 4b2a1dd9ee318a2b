package Caportal::Test::Statements;

# Statements that are made to fail, and what a database holds.

use v5.36;
use Exporter 'import';
use Test::More;

our @EXPORT_OK = qw(contents with_failing writes_all_or_nothing);

sub _tables ($portal) {
    return map { $_->{name} } @{ $portal->rows(
        q{SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()}) };
}

# A checksum of every table.
sub contents ($portal) {
    my $list = join ', ', map {"`$_`"} _tables($portal);
    return {map { ($_->{Table} =~ s/.*\.//r) => $_->{Checksum} } @{ $portal->rows("CHECKSUM TABLE $list EXTENDED") }};
}

# As a deadlock would end it; an operation is tried again after one, and this one does not go away. What the run died
# of.
sub with_failing ($portal, $table, $verb, $run) {
    $portal->change("CREATE TRIGGER fails BEFORE $verb ON $table FOR EACH ROW"
        . q{ SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'made to fail'});
    my $failed = !eval { $run->(); 1 };
    my $why    = $@;
    $portal->change('DROP TRIGGER fails');
    return $failed ? $why : 'it succeeded';
}

# Each of the writes ([table, verb]) fails once, and nothing stays; then the run, which dies where it is not answered
# well, goes through, and writes nothing besides.
sub writes_all_or_nothing ($portal, $run, @writes) {
    my $before = contents($portal);
    for my $write (@writes) {
        my ($table, $verb) = @$write;
        like with_failing($portal, $table, $verb, $run), qr/got 503/, "$verb of $table fails: 503";
        is_deeply contents($portal), $before, 'and nothing stays';
    }

    ok eval { $run->(); 1 }, 'then it goes through' or diag $@;
    my $after   = contents($portal);
    my %written = map { $_->[0] => 1 } @writes;
    is_deeply [grep { $after->{$_} ne $before->{$_} && !$written{$_} } sort keys %$after], [],
        'all that it writes was tried';
    return;
}

1;
