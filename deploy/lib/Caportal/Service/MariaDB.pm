package Caportal::Service::MariaDB;

# A private MariaDB: own data folder, a unix socket, no network. root signs in through the socket as the system's root;
# the portal's three users have a password each.

use v5.36;
use Caportal::Files qw(capture folder read_file write_file);
use Caportal::Process;

# home, owners; fast: for tests, whose data need not survive the machine.
sub new ($class, %given) {
    my $self = bless {%given}, $class;
    my ($home, $owner) = @$self{qw(home owners)};

    $self->{data}    = "$home/data/mysql";
    $self->{socket}  = "$home/run/data/mysqld.sock";
    $self->{process} = Caportal::Process->new(
        name => 'mariadb', run => "$home/run", log => "$home/log", user => $owner->of('data'));
    return $self;
}

sub socket ($self)  { return $self->{socket} }
sub process ($self) { return $self->{process} }

sub write ($self) {
    my ($home, $owners) = @$self{qw(home owners)};
    my $flush = $self->{fast} ? 2 : 1;

    write_file("$home/conf/my.cnf", <<~"END");
        [mariadbd]
        datadir                        = $self->{data}
        socket                         = $self->{socket}
        pid-file                       = $home/run/data/mysqld.pid
        tmpdir                         = $self->{data}
        skip-networking
        skip-name-resolve
        character-set-server           = utf8mb4
        collation-server               = utf8mb4_bin
        default-storage-engine         = InnoDB
        innodb-buffer-pool-size        = 128M
        innodb-flush-log-at-trx-commit = $flush
        max-connections                = 300
        local-infile                   = 0
        END

    return if -d "$self->{data}/mysql";
    folder($self->{data}, 0700, $owners->of('data'));
    capture('mariadb-install-db', "--defaults-file=$home/conf/my.cnf", '--user=' . $owners->name('data'),
        '--auth-root-authentication-method=socket', '--auth-root-socket-user=root', '--skip-test-db');
    return;
}

sub start ($self) {
    $self->{process}->start(['mariadbd', "--defaults-file=$self->{home}/conf/my.cnf",
        '--user=' . $self->{owners}->name('data')]);
    return;
}

sub wait_ready ($self) {
    $self->{process}->wait_until(60, sub { -S $self->{socket} && eval { $self->sql('SELECT 1'); 1 } });
    return;
}

# Runs SQL as the server's root; what it prints.
sub sql ($self, $sql) {
    my $file = "$self->{home}/run/sql.$$";
    write_file($file, $sql, 0600);
    my $output = eval {
        capture('sh', '-c', 'exec mariadb --no-defaults -u root -S "$1" -BN <"$2"', 'sh', $self->{socket}, $file);
    };
    my $fault = $@;
    unlink $file;
    die $fault if !defined $output;
    return $output;
}

# The schema's database and its owner, who migrates it.
sub create ($self, $database, $password_of) {
    my $user = user($database, 'admin');
    my $secret = $password_of->('admin');
    $self->sql(<<~"END");
        CREATE DATABASE IF NOT EXISTS $database CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
        CREATE USER IF NOT EXISTS '$user'\@'localhost' IDENTIFIED BY '$secret';
        ALTER USER '$user'\@'localhost' IDENTIFIED BY '$secret';
        GRANT ALL ON $database.* TO '$user'\@'localhost';
        END
    return;
}

# The users of web and signer, with the rights of the schema's own file, once its tables are there.
sub grant ($self, $database, $password_of, $file) {
    my ($sql, $grants) = ('', read_file($file));

    for my $part (qw(web signer)) {
        my ($user, $secret) = (user($database, $part), $password_of->($part));
        $sql .= "CREATE USER IF NOT EXISTS '$user'\@'localhost' IDENTIFIED BY '$secret';
"
            . "ALTER USER '$user'\@'localhost' IDENTIFIED BY '$secret';
";
    }

    $grants =~ s/\@DATABASE\@/$database/g;
    $grants =~ s/\@(WEB|SIGNER)_USER\@/"'" . user($database, lc $1) . "'\@'localhost'"/ge;
    $self->sql($sql . $grants);
    return;
}

# caportal_web of the database caportal; every other database has users of its own.
sub user ($database, $part) {
    return "${database}_$part";
}

1;
