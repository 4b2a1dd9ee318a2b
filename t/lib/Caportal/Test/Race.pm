package Caportal::Test::Race;

# Two at once, in an order that the test decides: one has changed rows and not committed yet, the other meets them.

use v5.36;
use Caportal::Test::Edge qw(eventually);
use Exporter 'import';
use POSIX ();
use Time::HiRes qw(sleep);

our @EXPORT_OK = qw(during);

# Makes a change (SQL and its values) in a transaction, lets a child ask meanwhile, and commits once the child waits for
# a lock: whether it did wait, and what it says. Other clients of the portal's must not be used by the child afterwards.
sub during ($portal, $change, $asks) {
    my $db = $portal->database;
    $db->begin_work;
    $portal->change(@$change);

    my $child = open(my $said, '-|') // die "fork: $!\n";
    if (!$child) {
        $db->{InactiveDestroy} = 1;
        print eval { $asks->() } // $@;
        STDOUT->flush;
        POSIX::_exit(0);
    }

    # The view stays as it is while it is read more often than every 100 ms.
    my $waits = eventually(sub {
        sleep 0.11;
        $portal->value("SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'") > 0;
    });
    $db->commit;

    my $answer = do { local $/; <$said> };
    close $said;
    return ($waits, $answer);
}

1;
