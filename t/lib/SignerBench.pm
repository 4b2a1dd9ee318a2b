package SignerBench;

# A private MariaDB, Redis and certificate authority in a temporary folder, orders that are ready to be issued, and the
# signer as a child that can be stopped and killed.

use v5.36;
use warnings FATAL => 'all';

use DBI;
use File::Temp qw(tempdir);
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

my $serial_key = 0;

sub new ($class, %options) {
  my $self = bless {dir => tempdir('signer-XXXXXX', TMPDIR => 1, CLEANUP => 1), pid => {}, orders => 0, %options},
    $class;
  $self->_start_mariadb;
  $self->start_redis;
  $self->_make_issuers;
  $self->_seed;
  return $self;
}

sub dir ($self) { return $self->{dir} }
sub dbh ($self) { return $self->{dbh} }

sub run ($self, @command) {
  my $log = "$self->{dir}/commands.log";
  system("@command >$log 2>&1") == 0 or die "failed ($?): @command\n" . qx(head -n 20 $log);
  return;
}

sub write_file ($self, $name, $text, $mode = 0600) {
  my $path = "$self->{dir}/$name";
  open my $file, '>:raw', $path or die "$path: $!\n";
  print {$file} $text;
  close $file or die "$path: $!\n";
  chmod $mode, $path;
  return $path;
}

sub _spawn ($self, $name, $log, @command) {
  my $pid = fork // die "fork: $!\n";
  if ($pid == 0) {
    open STDIN,  '<', '/dev/null' or die;
    open STDOUT, '>>', "$self->{dir}/$log" or die;
    open STDERR, '>>&', \*STDOUT or die;
    exec @command or POSIX::_exit(127);
  }
  $self->{pid}{$name} = $pid;
  return;
}

sub wait_for ($self, $what, $seconds, $done) {
  my $end = time + $seconds;
  while (time < $end) {
    my $value = eval { $done->() };
    return $value if $value;
    sleep 0.05;
  }
  return;
}

sub _start_mariadb ($self) {
  my $dir = $self->{dir};
  # A server that starts clears the temporary tables of its folder, so none may share one.
  mkdir "$dir/tmp";
  $self->run("mariadb-install-db --no-defaults --user=root --datadir=$dir/db --tmpdir=$dir/tmp "
      . '--auth-root-authentication-method=normal');
  $self->start_mariadb;
  $self->{dbh}->do('CREATE DATABASE caportal');
  $self->run("mariadb -S $dir/db.sock -uroot caportal < $_") for sort glob 'deploy/schema/0*.sql';
  open my $grants, '<', 'deploy/schema/grants.sql' or die "grants.sql: $!\n";
  my $sql = do { local $/ = undef; <$grants> };
  $sql =~ s/\@WEB_USER\@/'web'\@'localhost'/g;
  $sql =~ s/\@SIGNER_USER\@/'signer'\@'localhost'/g;
  $sql =~ s/\@DATABASE\@/caportal/g;
  $self->{dbh}->do("CREATE USER '$_'\@'localhost' IDENTIFIED BY 'secret'") for qw(web signer);
  $self->write_file('grants.sql', $sql);
  $self->run("mariadb -S $dir/db.sock -uroot < $dir/grants.sql");
  $self->{dbh}->do('USE caportal');
  return;
}

sub start_mariadb ($self) {
  my $dir = $self->{dir};
  $self->_spawn('mariadb', 'mariadb.log', qw(mariadbd --no-defaults --user=root --skip-networking),
    "--datadir=$dir/db", "--tmpdir=$dir/tmp", "--socket=$dir/db.sock");
  $self->{dbh} = $self->wait_for('MariaDB', 30, sub { $self->connect('root', undef, '') })
    or die "MariaDB does not start\n";
  eval { $self->{dbh}->do('USE caportal') };
  return;
}

sub connect ($self, $user, $password, $database = 'caportal') {
  return DBI->connect("DBI:MariaDB:database=$database;mariadb_socket=$self->{dir}/db.sock",
    $user, $password, {RaiseError => 1, PrintError => 0});
}

sub start_redis ($self) {
  my $dir = $self->{dir};
  $self->_spawn('redis', 'redis.log', 'redis-server', '--port', 0, '--unixsocket', "$dir/redis.sock", '--save', '',
    '--dir', $dir);
  $self->wait_for('Redis', 10, sub { $self->redis('PING') eq 'PONG' }) or die "Redis does not start\n";
  return;
}

sub redis ($self, @command) {
  my $answer = qx(redis-cli -s $self->{dir}/redis.sock @command 2>/dev/null);
  chomp $answer;
  return $answer;
}

sub _make_issuers ($self) {
  my $dir  = $self->{dir};
  my %kind = ('ec' => 'EC -pkeyopt ec_paramgen_curve:P-256', 'rsa' => 'RSA -pkeyopt rsa_keygen_bits:2048');
  for my $name (sort keys %kind) {
    $self->run("openssl genpkey -algorithm $kind{$name} -out $dir/$name.key");
    $self->run("openssl req -x509 -new -key $dir/$name.key -subj '/C=CN/O=Test/CN=Test $name' -days 7300",
      "-addext 'keyUsage=critical,keyCertSign,cRLSign' -out $dir/$name.pem");
    chmod 0600, "$dir/$name.key";
  }
  $self->write_file('password', "secret\n");
  $self->write_file('audit.key', ('5a' x 32) . "\n");
  return;
}

# Extra text for the file, and the issuers' blocks in place of the two with PEM keys.
sub configure ($self, $extra = '', $issuers = undef) {
  my $dir = $self->{dir};
  $issuers //= join '', map {"issuer $_ { certificate $dir/$_.pem; key $dir/$_.key; }\n"} qw(ec rsa);
  return $self->write_file('signer.conf', <<~"CONF");
    consumer test;
    mysql { socket $dir/db.sock; user signer; password_file $dir/password; database caportal; timeout 5s; }
    redis { socket $dir/redis.sock; }
    profiles conf/profiles.conf;
    audit_key_file $dir/audit.key;
    sweep_interval 300ms;
    sweep_after 1s;
    $issuers
    $extra
    CONF
}

# By the configuration and with the log of that name.
sub start_signer ($self, $name = 'signer') {
  $self->_spawn($name, "$name.log", $ENV{CAPORTAL_SIGNER} // 'build/caportal-signer', '-c', "$self->{dir}/$name.conf");
  return;
}

sub stop ($self, $name, $signal = 'TERM') {
  my $pid = delete $self->{pid}{$name} // return;
  kill $signal, $pid;
  waitpid $pid, 0;
  return $?;
}

sub log_of ($self, $name) {
  open my $file, '<', "$self->{dir}/$name.log" or return '';
  local $/ = undef;
  return <$file> // '';
}

# The people whom orders need.
sub _seed ($self) {
  my $dbh = $self->{dbh};
  $dbh->do(q{INSERT INTO person VALUES (1, REPEAT('p', 32), 'x', 'x', 'x', 1)});
  $dbh->do(q{INSERT INTO account (id, public_id, phone_index, phone_sealed, person_id, state, created_at, updated_at)
    VALUES (1, 'acc1', REPEAT('a', 32), 'x', 1, 'active', 1, 1)});
  $dbh->do(q{INSERT INTO staff VALUES (?, ?, 'x', ?, REPEAT(?, 32), NULL, 'active', 1, 1)}, undef, $_, "st$_",
    1 << ($_ - 1), $_) for 1 .. 4;
  return;
}

sub request ($self, $kind = 'ec') {
  my $dir  = $self->{dir};
  my $name = 'request' . ++$serial_key;
  my $key
    = $kind eq 'rsa' ? 'RSA -pkeyopt rsa_keygen_bits:2048' : 'EC -pkeyopt ec_paramgen_curve:P-256';
  $self->run("openssl genpkey -algorithm $key -out $dir/$name.key");
  $self->run("openssl req -new -key $dir/$name.key -subj /CN=ignored -outform DER -out $dir/$name.der");
  open my $file, '<:raw', "$dir/$name.der" or die;
  local $/ = undef;
  return <$file>;
}

# An order that is paid and reviewed, with its ledger row; what the named options break is missing. Returns the row's id.
sub order ($self, %o) {
  my $dbh  = $self->{dbh};
  my $n    = ++$self->{orders};
  my $name = "内蒙古测试第${n}有限公司";
  my $csr  = $o{csr} // $self->request($o{kind} // 'ec');
  my $sale = '{}';
  my $flow = $o{free} ? 'free' : 'review_first';
  my $uscc = sprintf '91150000MA%07d0', $n;
  utf8::decode($name);

  $dbh->begin_work;
  $dbh->do(q{INSERT INTO unit VALUES (?, ?, 'enterprise', ?, ?, 'x', 'x', 1, 0, 1, 1)}, undef, $n, "unit$n", $name,
    $uscc);
  my $insert = $dbh->prepare(<<~'SQL');
    INSERT INTO certificate_order (id, no, hall, project, product, service, account_id, unit_id, person_id, agent_index,
      state, version, flow, amount_fen, paid_fen, profile, years, sale, csr, csr_by, hold_key, created_at, updated_at)
    VALUES (?, ?, 'h', 'p', 'x', 'new', 1, ?, 1, REPEAT('i', 32), ?, 7, ?, ?, ?, ?, 2, ?, ?, 'holder', ?, 1, 1)
    SQL
  $insert->bind_param($_->[0], $_->[1], $_->[0] == 10 ? {TYPE => DBI::SQL_BLOB()} : ()) for
    [1, $n], [2, "NO$n"], [3, $n], [4, $o{state} // ($o{free} ? 'approved' : 'paid')], [5, $flow],
    [6, $o{free} ? 0 : 26000], [7, $o{free} ? 0 : 26000], [8, $o{profile} // 'unit-sign'], [9, $sale], [10, $csr],
    [11, "hold$n"];
  $insert->execute;

  my $event = q{INSERT INTO order_event (order_id, event, from_state, to_state, actor_kind, actor_id, created_at)
    VALUES (?, ?, 'draft', 'paid', ?, ?, 1)};
  $dbh->do($event, undef, $n, 'submit', 'applicant', 1);
  $dbh->do($event, undef, $n, 'approve', 'staff', 1) if !$o{no_review};
  $dbh->do($event, undef, $n, 'submit', 'applicant', 1) if $o{submitted_again};
  $dbh->do(q{INSERT INTO order_duty VALUES (?, 1, 'review', 1)}, undef, $n) if !$o{no_duty};
  if (!$o{free} && !$o{no_payment}) {
    $dbh->do(q{INSERT INTO order_duty VALUES (?, 2, 'finance', 1)}, undef, $n);
    $dbh->do(<<~'SQL', undef, "pay$n", $n, $o{paid} // 26000, $o{payment_state} // 'confirmed', "r$n");
      INSERT INTO payment (public_id, order_id, method, amount_fen, state, remark_code, decided_by, created_at)
      VALUES (?, ?, 'transfer', ?, ?, ?, 2, 1)
      SQL
  }

  my $subject = $o{subject} // qq({"C":"CN","CN":"$name","O":"$name","uscc":"$uscc"});
  my $ledger  = $dbh->prepare(<<~'SQL');
    INSERT INTO issuance (id, order_id, item, state, profile, years, subject, csr, next_try_at, created_at, updated_at)
    VALUES (?, ?, 1, 'queued', ?, 2, ?, ?, ?, ?, ?)
    SQL
  my $now = int(time * 1000);
  $ledger->bind_param($_->[0], $_->[1], $_->[0] == 5 ? {TYPE => DBI::SQL_BLOB()} : ()) for
    [1, $n], [2, $n], [3, $o{profile} // 'unit-sign'], [4, $subject], [5, $o{ledger_csr} // $csr], [6, $now],
    [7, $now], [8, $now];
  $ledger->execute;
  $dbh->commit;
  return $n;
}

sub push_id ($self, $id) { return $self->redis('XADD', 'caportal:issuance', '"*"', 'id', $id) }

sub value ($self, $sql, @values) { return scalar $self->{dbh}->selectrow_array($sql, undef, @values) }

sub state_of ($self, $id) { return $self->value('SELECT state FROM issuance WHERE id = ?', $id) }

sub wait_state ($self, $id, $state, $seconds = 15) {
  return $self->wait_for($state, $seconds, sub { $self->state_of($id) eq $state });
}

sub DESTROY ($self) {
  local $?;
  $self->{dbh}->disconnect if $self->{dbh};
  $self->stop($_, 'KILL') for sort keys %{$self->{pid}};
  return;
}

1;
